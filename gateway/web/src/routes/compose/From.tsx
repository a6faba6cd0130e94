import { useQuery } from '@tanstack/react-query';
import { Plus } from 'lucide-react';
import { Link } from 'react-router';
import { catcher as catcherQuery } from '../../api/queries';
import type { Mailbox } from '../../api/types';
import { Button } from '../../components/Button';
import { Chip } from '../../components/Chip';
import { Icon } from '../../components/Icon';
import { Menu, MenuItem } from '../../components/Menu';
import type { Plan } from '../../compose/plan';
import type { Thing } from '../../compose/settle';
import { count, short } from '../../words/number';
import { Hint } from '../../components/Field';
import { UseCatcher } from '../mailboxes/UseCatcher';
import { Row } from './Row';
import { textAt } from './textAt';

/** A campaign is sent from so many at most. */
const MOST = 50;

export function From({ plan, mailboxes, things, onEdit }: { plan: Plan; mailboxes: readonly Mailbox[]; things: readonly Thing[]; onEdit: (patch: Partial<Plan>) => void }) {
  const { mailboxIds } = plan;
  const { data: catcher } = useQuery({ ...catcherQuery, enabled: mailboxes.length === 0 });
  const rest = mailboxes.filter(({ id }) => !mailboxIds.includes(id));
  const error = textAt(things, 'from');
  return (
    <Row label="From" top>
      <div id="from" className="flex flex-wrap items-center gap-2">
        {mailboxIds.map((id) => {
          const mailbox = mailboxes.find((each) => each.id === id);
          const address = mailbox?.address ?? 'a mailbox that was removed';
          return (
            <Chip key={id} letter={address.charAt(0)} label={short(address)} fact={mailbox?.hourlyLimit ? `${count(mailbox.hourlyLimit)}/h` : undefined} onRemove={() => onEdit({ mailboxIds: mailboxIds.filter((each) => each !== id) })}>
              {address}
            </Chip>
          );
        })}
        {mailboxes.length === 0 ? (
          <>
            <span>
              No mailbox yet.{' '}
              <Link to="/mailboxes?add=1" className="link">
                Connect one first
              </Link>
            </span>
            {catcher && <UseCatcher size="small" catcher={catcher} onDone={({ id }) => onEdit({ mailboxIds: [id] })} />}
          </>
        ) : (
          rest.length > 0 &&
          mailboxIds.length < MOST && (
            <Menu
              label="Mailboxes"
              place="below-left"
              button={(props) => (
                <Button kind="quiet" size="small" icon={<Icon of={Plus} small />} aria-describedby={error ? 'from-about' : undefined} {...props}>
                  Mailbox
                </Button>
              )}
            >
              {(close) =>
                rest.map((mailbox) => (
                  <MenuItem key={mailbox.id} end={<small className="text-12 text-ink-3">{mailbox.stop ? 'stopped' : mailbox.hourlyLimit ? `${count(mailbox.hourlyLimit)}/h` : ''}</small>} onSelect={() => (close(), onEdit({ mailboxIds: [...mailboxIds, mailbox.id] }))}>
                    {mailbox.address}
                  </MenuItem>
                ))
              }
            </Menu>
          )
        )}
      </div>
      <Hint id="from-about" error={error} />
    </Row>
  );
}

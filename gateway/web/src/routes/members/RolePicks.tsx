import type { Role } from '../../api/types';
import { Picks } from '../../components/Field';
import { ROLES, roleWords } from '../../words/role';

/** One role of the three, with what it may. */
export function RolePicks({ role, onPick }: { role: Role; onPick: (role: Role) => void }) {
  return (
    <div>
      <p aria-hidden="true" className="mb-1.5 text-12 font-medium text-ink-2">
        May
      </p>
      <Picks<Role> label="May" value={role} of={ROLES.map((key) => ({ key, text: roleWords(key)[0] }))} onPick={onPick} />
      <p className="mt-1.5 text-12 text-ink-3">{roleWords(role)[1]}</p>
    </div>
  );
}

import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { Navigate, useNavigate, useParams } from 'react-router';
import { campaign, mailboxes } from '../../api/queries';
import type { Campaign } from '../../api/types';
import { Head } from '../../components/Head';
import { SkeletonRows } from '../../components/Skeleton';
import { Draft } from '../../compose/draft';
import { EMPTY, planOf } from '../../compose/plan';
import { Recipients } from '../../compose/recipients';
import { PageError } from '../../shell/PageError';
import { DRAFT_API, RECIPIENTS_API } from './calls';
import { Composer } from './Composer';
import { fetchWriting } from './LazyWriting';

export function Screen() {
  const { campaignId } = useParams();
  // Beside the draft and the mailboxes, not behind them.
  useEffect(() => void fetchWriting().catch(() => undefined), []);
  const navigate = useNavigate();
  // A draft gets its id while it is open, and sometimes another: the address follows, and what is open stays open.
  const opened = useRef<{ key: number; id: string | undefined; left: string | undefined }>({ key: 0, id: campaignId, left: campaignId });
  const now = opened.current;
  if (campaignId === now.id) now.left = now.id;
  else if (campaignId !== now.left) opened.current = { key: now.key + 1, id: campaignId, left: campaignId };
  const onMoved = (id: string) => {
    opened.current.id = id;
    void navigate(`/compose/${id}`, { replace: true });
  };
  return <Opened key={opened.current.key} id={opened.current.id} onMoved={onMoved} />;
}

/** Reads a draft once; from then on what is written here is what counts. */
function Opened({ id, onMoved }: { id: string | undefined; onMoved: (id: string) => void }) {
  const [asked] = useState(id);
  const { data, error, refetch } = useQuery({ ...campaign(asked ?? ''), enabled: asked !== undefined, staleTime: 0, gcTime: 0, refetchOnWindowFocus: false });
  const all = useQuery(mailboxes);
  const failed = error ?? all.error;
  if (failed && !(asked ? data && all.data : all.data)) return <PageError error={failed} onRetry={() => (void refetch(), void all.refetch())} />;
  if (data && data.state !== 'CAMPAIGN_STATE_DRAFT') return <Navigate to={`/campaigns/${data.id}`} replace />;
  if ((asked !== undefined && !data) || !all.data) {
    return (
      <>
        <Head title={asked ? 'Draft' : 'New campaign'} />
        <SkeletonRows />
      </>
    );
  }
  return <Ready campaign={data} only={all.data.length === 1 ? all.data[0]?.id : undefined} onMoved={onMoved} />;
}

/** `only`: the one mailbox of the workspace, from which a new campaign is sent without asking. */
function Ready({ campaign: given, only, onMoved }: { campaign: Campaign | undefined; only: string | undefined; onMoved: (id: string) => void }) {
  const [{ draft, recipients }] = useState(() => {
    const begun = given ? planOf(given) : { ...EMPTY, mailboxIds: only ? [only] : [] };
    const made = new Draft(DRAFT_API, localStorage, given?.id, begun);
    return { draft: made, recipients: new Recipients(RECIPIENTS_API, made, given?.counts?.total ?? 0) };
  });
  const id = useRef(draft.state.id);
  useEffect(() => {
    const leave = draft.subscribe(() => {
      if (draft.state.id === id.current || draft.state.id === undefined) return;
      id.current = draft.state.id;
      onMoved(draft.state.id);
    });
    return () => void leave();
  }, [draft, onMoved]);
  // What waits for its timer is saved as the screen is left.
  useEffect(
    () => () => {
      if (draft.isUnsaved) void draft.save().catch(() => undefined);
    },
    [draft],
  );
  return <Composer draft={draft} recipients={recipients} />;
}

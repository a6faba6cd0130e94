/** What drafts and their recipients ask of the API and of this browser. */

import { call } from '../../api/client';
import { rewriteFile, scanFile } from '../../compose/csv/inWorker';
import type { DraftApi } from '../../compose/draft';
import { bodyOf, PATHS, planOf } from '../../compose/plan';
import type { Plan } from '../../compose/plan';
import type { RecipientsApi } from '../../compose/recipients';
import { keepSources, keptSources } from '../../compose/sourceStore';
import { upload } from '../../compose/upload';

const get = (id: string) => call('get', '/v1/campaigns/{campaign_id}', { path: { campaign_id: id } });

async function create(plan: Plan, requestId: string) {
  const made = await call('post', '/v1/campaigns', { query: { requestId }, body: bodyOf(plan) });
  return { id: made.id, plan: planOf(made) };
}

export const DRAFT_API: DraftApi = {
  create,
  get: async (id) => planOf(await get(id)),
  update: async (id, plan, fields) =>
    planOf(await call('patch', '/v1/campaigns/{campaign_id}', { path: { campaign_id: id }, body: bodyOf(plan), mask: fields.map((field) => PATHS[field]) })),
};

export const RECIPIENTS_API: RecipientsApi = {
  scan: scanFile,
  rewrite: rewriteFile,
  upload,
  total: async (id) => (await get(id)).counts?.total ?? 0,
  copy: async (id) => (await create(planOf(await get(id)), crypto.randomUUID())).id,
  remove: async (id) => {
    await call('delete', '/v1/campaigns/{campaign_id}', { path: { campaign_id: id } });
  },
  kept: keptSources,
  keep: (id, sources) => keepSources(id, sources, Date.now()),
};

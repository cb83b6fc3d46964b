import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { AppError } from '../../domain/errors.ts';
import type { ConversationId, MediaId } from '../../domain/ids.ts';
import { claimConversation } from '../../desk/claim-conversation.ts';
import { correctDraft, redraft, type DraftChanges } from '../../desk/correct-draft.ts';
import { handBack, releaseToQueue } from '../../desk/leave-conversation.ts';
import { openFromDraft } from '../../desk/open-from-draft.ts';
import { readConversation, routeOf } from '../../desk/read-conversation.ts';
import { readQueue } from '../../desk/read-queue.ts';
import { ticketSummary } from '../../desk/read-tickets.ts';
import { tellSpecialWay } from '../../desk/tell-special-way.ts';
import { SPECIAL_KEYS } from '../../domain/special-ways.ts';
import { SAY_MAX, sayAsOperator } from '../../desk/say-as-operator.ts';
import type { DeskServerDeps } from './desk-routes.ts';
import { typingTopic } from './feed.ts';
import { sendPicture } from './pictures.ts';
import { define } from './route.ts';
import { freeText, idParams, issueType, mediaParams, nature, pageQuery, place, toPage, urgency } from './shapes.ts';

const Changes: z.ZodType<DraftChanges> = z.object({
  type: issueType.optional(), nature: nature.optional(), urgency: urgency.optional(),
  address: z.object({ text: z.string().max(300), building: z.string().max(60), place: place.nullable(), label: z.string().max(200) }).optional(),
});
const Opening = z.object({ draftId: z.string().min(1).max(64), changes: Changes, description: freeText.optional() });
const Saying = z.object({ text: z.string().min(1).max(SAY_MAX), key: z.string().regex(/^[\w-]{8,64}$/) });
const Telling = z.object({ outcome: z.enum(SPECIAL_KEYS), key: Saying.shape.key });
const code = z.string().max(20).optional();
const queueQuery = pageQuery.extend({ mine: z.boolean().default(false) });

/** The operators' queue and one conversation from claim to hand-back. */
export function operatorRoutes(app: FastifyInstance, deps: DeskServerDeps): void {
  define(app, deps, {
    method: 'GET', url: '/queue', summary: 'Who waits for a person, most pressing first', action: 'queue.read', query: queueQuery,
    handle: ({ user, query }) => readQueue(deps, user, { ...toPage(query), mine: query.mine }),
  });
  define(app, deps, {
    method: 'GET', url: '/places', summary: 'Places of the city that a text may mean', action: 'place.search', query: z.object({ text: z.string().min(1).max(100) }),
    handle: async ({ query }) => ({ items: deps.placeSearch(query.text).slice(0, 8) }),
  });
  define(app, deps, {
    method: 'GET', url: '/routes', summary: 'Where a ticket of this type and place would go, and why', action: 'place.search',
    query: z.object({ type: issueType, district: code, street: code, community: code }),
    handle: async ({ query: { type, ...codes } }) => routeOf(deps, type, { district: codes.district ?? null, street: codes.street ?? null, community: codes.community ?? null }),
  });
  define(app, deps, {
    method: 'GET', url: '/conversations/:id', summary: 'Transcript, draft, hand-off and tickets of one conversation', action: 'conversation.read',
    params: idParams, query: z.object({ beforeSeq: z.number().int().min(1).optional() }),
    handle: ({ params, query }) => readConversation(deps, params.id as ConversationId, query.beforeSeq),
  });
  define(app, deps, {
    method: 'GET', url: '/conversations/:id/media/:mediaId', summary: 'A picture the resident sent', action: 'conversation.read', params: mediaParams,
    handle: async ({ params, reply }) => {
      const [conversation, media] = await Promise.all([deps.store.conversation(params.id as ConversationId), deps.store.media(params.mediaId as MediaId)]);
      if (!conversation || media?.residentId !== conversation.residentId) throw new AppError('media.not_found', 'no such picture');
      return sendPicture(deps, reply, params.mediaId as MediaId);
    },
  });
  serving(app, deps);
}

function serving(app: FastifyInstance, deps: DeskServerDeps): void {
  const action = 'conversation.serve';
  const ok = { ok: true };
  define(app, deps, {
    method: 'POST', url: '/conversations/:id/claim', summary: 'Take the conversation; exactly one wins', action, params: idParams,
    handle: async ({ user, params }) => { await claimConversation(deps, user, params.id as ConversationId); return ok; },
  });
  define(app, deps, {
    method: 'POST', url: '/conversations/:id/say', summary: 'Write to the resident; the same key again writes nothing', action, params: idParams, body: Saying,
    handle: async ({ user, params, body }) => ({ message: await sayAsOperator(deps, user, params.id as ConversationId, body) }),
  });
  define(app, deps, {
    method: 'POST', url: '/conversations/:id/typing', summary: 'The operator is writing; shown to the resident for a moment', action, params: idParams,
    handle: async ({ params }) => { deps.coordination.publish(typingTopic(params.id), 'operator'); return ok; },
  });
  define(app, deps, {
    method: 'POST', url: '/conversations/:id/draft', summary: 'Correct the draft', action, params: idParams, body: Changes,
    handle: async ({ user, params, body }) => { await correctDraft(deps, user, params.id as ConversationId, body); return ok; },
  });
  define(app, deps, {
    method: 'POST', url: '/conversations/:id/redraft', summary: 'A new draft from the resident’s last words or from these', action, params: idParams,
    body: z.object({ words: z.array(freeText.min(1)).max(10).nullable() }),
    handle: async ({ user, params, body }) => { await redraft(deps, user, params.id as ConversationId, body.words); return ok; },
  });
  define(app, deps, {
    method: 'POST', url: '/conversations/:id/open', summary: 'Open the corrected draft as a ticket', action, params: idParams, body: Opening,
    handle: async ({ user, params, body, reply }) => reply.code(201).send(ticketSummary(deps, await openFromDraft(deps, user, params.id as ConversationId, body))),
  });
  define(app, deps, {
    method: 'POST', url: '/conversations/:id/special-way', summary: 'Answer with one of the ways of art. 11(3); the resident may object', action, params: idParams, body: Telling,
    handle: async ({ user, params, body }) => { await tellSpecialWay(deps, user, params.id as ConversationId, body); return ok; },
  });
  define(app, deps, {
    method: 'POST', url: '/conversations/:id/hand-back', summary: 'Back to the bot', action, params: idParams,
    handle: async ({ user, params }) => { await handBack(deps, user, params.id as ConversationId); return ok; },
  });
  define(app, deps, {
    method: 'POST', url: '/conversations/:id/release', summary: 'Back into the queue, for a colleague', action, params: idParams,
    handle: async ({ user, params }) => { await releaseToQueue(deps, user, params.id as ConversationId); return ok; },
  });
}

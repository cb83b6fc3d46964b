import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { User } from '../../domain/desk.ts';
import { AppError } from '../../domain/errors.ts';
import type { MediaId, TaskId, UnitId } from '../../domain/ids.ts';
import { TIME_WISHES, UNIT_ROLES } from '../../domain/ticket-work.ts';
import { TICKET_STATUSES, type Ticket, type TicketStatus } from '../../domain/ticket.ts';
import { acceptTicket, correctTicket, dispatchByHand, noteProgress, resolveTicket, returnTicket } from '../../desk/move-ticket.ts';
import { findTicket, listTickets, readTicket } from '../../desk/read-tickets.ts';
import { readsHidden } from '../../desk/hidden-reporter.ts';
import { mayOn, type Action } from '../../desk/permissions.ts';
import { answerTask, askTime, closeTask, decideTime, enterNextStage, excludeTicket, refuseObjection, reportIn, resumeClock, whistle } from '../../desk/work-on-ticket.ts';
import type { DeskServerDeps } from './desk-routes.ts';
import { sendPicture } from './pictures.ts';
import { define } from './route.ts';
import { freeText, idParams, issueType, mediaParams, nature, pageQuery, place, toPage, urgency } from './shapes.ts';

const PICTURE_MAX_BYTES = 10 * 1024 * 1024;
const PICTURES_PER_NOTE = 6;

const listQuery = pageQuery.extend({ status: z.string().max(120).optional().describe('Comma-separated statuses'), role: z.enum(UNIT_ROLES).optional().describe('For a unit: what it is to the ticket') });
const Correction = z.object({
  type: issueType.optional(), nature: nature.optional(), urgency: urgency.optional(), description: freeText.optional(),
  address: z.object({ text: z.string().min(1).max(300), place: place.nullable(), label: z.string().max(200) }).optional(),
});

/** Tickets, as far as one may see them, and what one may do to them. */
export function ticketRoutes(app: FastifyInstance, deps: DeskServerDeps): void {
  define(app, deps, {
    method: 'GET', url: '/tickets', summary: 'Tickets, nearest deadline first; a unit sees its own', action: 'ticket.list', query: listQuery,
    handle: ({ user, query }) => listTickets(deps, user, { ...toPage(query), statuses: parseStatuses(query.status), role: query.role }),
  });
  define(app, deps, {
    method: 'GET', url: '/tickets/:id', summary: 'One ticket with its history, by id or by number', action: 'ticket.read', params: idParams,
    handle: ({ user, params }) => readTicket(deps, user, params.id),
  });
  define(app, deps, {
    method: 'GET', url: '/tickets/:id/media/:mediaId', summary: 'A picture that belongs to the ticket', action: 'ticket.read', params: mediaParams,
    handle: async ({ user, params, reply }) => {
      const ticket = await findTicket(deps, user, params.id);
      if (readsHidden(deps, user, ticket) || !ticket.media.includes(params.mediaId as MediaId)) throw new AppError('media.not_found', 'no such picture');
      return sendPicture(deps, reply, params.mediaId as MediaId);
    },
  });
  moving(app, deps);
}

function moving(app: FastifyInstance, deps: DeskServerDeps): void {
  const post = <B>(verb: string, action: Action, summary: string, body: z.ZodType<B>, work: (user: User, ticket: Ticket, body: B) => Promise<Ticket>) =>
    define(app, deps, {
      method: 'POST', url: `/tickets/:id/${verb}`, summary, action, params: idParams, body,
      handle: async ({ user, params, body: asked }) => {
        const moved = await work(user, await findTicket(deps, user, params.id), asked);
        return mayOn(user, 'ticket.read', moved) ? readTicket(deps, user, moved.id) : { ok: true };
      },
    });
  define(app, deps, {
    method: 'POST', url: '/tickets/:id/accept', summary: 'The unit takes the ticket on', action: 'ticket.accept', params: idParams,
    handle: async ({ user, params }) => readTicket(deps, user, (await acceptTicket(deps, user, (await findTicket(deps, user, params.id)).id)).id),
  });
  post('progress', 'ticket.progress', 'What has been done so far; the resident is told', z.object({ note: freeText, media: z.array(z.string().max(64)).max(PICTURES_PER_NOTE).default([]) }),
    async (user, ticket, { note, media }) => noteProgress(deps, user, ticket.id, { note, media: await ownPictures(deps, ticket, media) }));
  post('return', 'ticket.return', 'Not this unit’s matter: back to a dispatcher, with the reason', z.object({ reason: freeText, suggests: z.string().max(100).optional(), media: z.array(z.string().max(64)).max(PICTURES_PER_NOTE).default([]) }),
    async (user, ticket, { reason, suggests, media }) => returnTicket(deps, user, ticket.id, { reason, suggests: suggests as UnitId | undefined, media: await ownPictures(deps, ticket, media) }));
  post('resolve', 'ticket.resolve', 'Done: what was done', z.object({ answer: freeText }), (user, ticket, { answer }) => resolveTicket(deps, user, ticket.id, answer));
  post('dispatch', 'ticket.dispatch', 'Send to a unit by hand, with the reason', z.object({ to: z.string().max(100), because: freeText }),
    (user, ticket, { to, because }) => dispatchByHand(deps, user, ticket.id, { to: to as UnitId, because }));
  post('correct', 'ticket.correct', 'Correct type, urgency, place or description', Correction,
    (user, ticket, { address, ...changes }) => correctTicket(deps, user, ticket.id, { ...changes, ...(address && { address: { ...address, location: ticket.address.location } }) }));
  const task = z.string().min(1).max(64);
  post('whistle', 'ticket.whistle', 'Call other units (吹哨): each gets its own task and clock', z.object({ units: z.array(z.string().max(100)).min(1).max(8), ask: freeText }),
    (user, ticket, { units, ask }) => whistle(deps, user, ticket.id, { units: units as UnitId[], ask }));
  post('report-in', 'ticket.answer_task', 'The called unit is there (报到)', z.object({ task }), (user, ticket, body) => reportIn(deps, user, ticket.id, body.task as TaskId));
  post('answer-task', 'ticket.answer_task', 'The called unit’s answer to the lead', z.object({ task, answer: freeText, outcome: z.enum(['done', 'declined']).default('done') }),
    (user, ticket, body) => answerTask(deps, user, ticket.id, { ...body, taskId: body.task as TaskId }));
  post('close-task', 'ticket.whistle', 'The call is no longer needed', z.object({ task, reason: freeText }), (user, ticket, body) => closeTask(deps, user, ticket.id, { ...body, taskId: body.task as TaskId }));
  post('ask-time', 'ticket.ask_time', 'Ask for an extension, a stopped clock or stages, before the deadline', z.object({ want: z.enum(TIME_WISHES), until: z.number().int().positive(), reason: freeText }),
    (user, ticket, body) => askTime(deps, user, ticket.id, body));
  post('decide-time', 'ticket.decide', 'Grant or refuse what was asked for', z.object({ granted: z.boolean(), because: freeText }), (user, ticket, body) => decideTime(deps, user, ticket.id, body));
  post('refuse-objection', 'ticket.decide', 'The unit that objected keeps the ticket', z.object({ because: freeText }), (user, ticket, { because }) => refuseObjection(deps, user, ticket.id, because));
  post('resume', 'ticket.stage', 'The stopped clock runs again', z.object({ reason: freeText }), (user, ticket, { reason }) => resumeClock(deps, user, ticket.id, reason));
  post('next-stage', 'ticket.stage', 'The present stage is done, the next one begins', z.object({ note: freeText }), (user, ticket, { note }) => enterNextStage(deps, user, ticket.id, note));
  post('exclude', 'ticket.decide', 'Does not count in the three rates, with the reason', z.object({ reason: freeText }), (user, ticket, { reason }) => excludeTicket(deps, user, ticket.id, reason));
  uploading(app, deps);
}

/** The unit's own picture, before the note that shows it. Sealed under the resident's key, as all pictures of the ticket are. */
function uploading(app: FastifyInstance, deps: DeskServerDeps): void {
  app.addContentTypeParser(/^image\//, { parseAs: 'buffer', bodyLimit: PICTURE_MAX_BYTES }, (_request, body, done) => done(null, body));
  define(app, deps, {
    method: 'POST', url: '/tickets/:id/pictures', summary: 'Upload a picture for a progress note (image/* body)', action: 'ticket.progress', params: idParams, bodyLimit: PICTURE_MAX_BYTES,
    handle: async ({ user, params, request, reply }) => {
      const ticket = await findTicket(deps, user, params.id);
      if (!mayOn(user, 'ticket.progress', ticket)) throw new AppError('ticket.not_found', 'no such ticket');
      if (!Buffer.isBuffer(request.body)) throw new AppError('media.invalid', 'send the picture itself as the body');
      const { id } = await deps.media.save(ticket.residentId, request.body);
      return reply.code(201).send({ mediaId: id satisfies MediaId });
    },
  });
}

/** Only pictures sealed for this ticket's resident can be shown with it; any other id is nobody's. */
async function ownPictures(deps: DeskServerDeps, ticket: Ticket, ids: readonly string[]): Promise<readonly MediaId[]> {
  for (const id of ids) {
    const media = await deps.store.media(id as MediaId);
    if (media?.residentId !== ticket.residentId) throw new AppError('media.not_found', 'no such picture');
  }
  return ids as readonly MediaId[];
}

function parseStatuses(text: string | undefined): readonly TicketStatus[] | null {
  if (text === undefined || text === '') return null;
  const names = text.split(',');
  const known = TICKET_STATUSES.filter((status) => names.includes(status));
  if (known.length !== new Set(names).size) throw new AppError('message.invalid', `statuses are ${TICKET_STATUSES.join(', ')}`);
  return known;
}


import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../domain/errors.ts';
import type { ClaimedAnswer, Connector } from '../../domain/ports.ts';
import { callbackQuery, openCallback, openEcho, refusal, sealAnswer, type CallbackSecret } from '../wechat/callback.ts';
import { checkSigned } from '../wechat/crypto.ts';
import type { Download } from '../wechat/fetch-media.ts';
import type { PlatformApi } from '../wechat/platform-api.ts';
import { AnswerDesk } from './answer-desk.ts';
import { answerXml, composeAnswer } from './compose-answer.ts';
import { receiveOfficial, type InboundDeps } from './inbound.ts';
import { sendOfficial, type OutboundDeps } from './outbound.ts';
import { parsePush, type Push } from './parse-push.ts';

export interface OfficialConnectorDeps extends Omit<InboundDeps, 'desk'>, Pick<OutboundDeps, 'readPicture'> {
  readonly secret: CallbackSecret;
  readonly api: PlatformApi;
  /** ms; 0 never answers inside the callback. */
  readonly waitMs: number;
  /** Callbacks of this process that wait at a time. */
  readonly mostWaiting: number;
}

export interface OfficialConnector extends Connector {
  /** Routes under `/wechat/official`; hand it to `buildServer`. */
  readonly plugin: (app: FastifyInstance) => Promise<void>;
  readonly download: Download;
}

export const PATH = '/wechat/official';
/** A pushed message has at most some kilobytes. */
const BODY_LIMIT = 64 * 1024;
/** Storing must be done by then: never acknowledged unstored, and never later than the platform waits. */
const STORED_WITHIN_MS = 4_500;
const ACKNOWLEDGED = 'success';

export function buildOfficialConnector(deps: OfficialConnectorDeps): OfficialConnector {
  const desk = new AnswerDesk(deps);
  return {
    channel: 'wechat-official',
    plugin: (app) => registerCallback(app, { ...deps, desk }),
    send: (message) => sendOfficial(deps, message),
    download: (remoteId, mostBytes) => deps.api.download('/cgi-bin/media/get', { media_id: remoteId }, mostBytes),
  };
}

type Callback = OfficialConnectorDeps & InboundDeps;

async function registerCallback(app: FastifyInstance, deps: Callback): Promise<void> {
  const marking = new Set<Promise<void>>();
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  const schema = { tags: ['wechat'], summary: 'The Official Account’s callback', hide: true };
  app.get(PATH, { schema, config: { free: true } }, async (request, reply) => verifyAddress(deps, request, reply));
  app.post(PATH, { schema, config: { free: true }, bodyLimit: BODY_LIMIT }, async (request, reply) => {
    const opened = openPush(deps, request);
    const answer = opened.push === null ? { settled: true, replies: [] } : await storedInTime(receiveOfficial(deps, opened.push));
    const text = await answerWith(deps, answer, { messageId: opened.push?.messageId ?? '', reply, marking });
    reply.type('text/xml; charset=utf-8');
    if (text === '' || opened.push === null) return reply.type('text/plain').send(ACKNOWLEDGED);
    const xml = answerXml(opened.push, text, deps.now());
    return reply.send(opened.encrypted ? sealAnswer(xml, deps.secret, deps.now(), opened.nonce) : xml);
  });
  app.addHook('onClose', async () => { await Promise.all(marking); });
}

function verifyAddress(deps: Callback, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const query = callbackQuery(request.query);
  const text = (body: string): FastifyReply => reply.type('text/plain; charset=utf-8').send(body);
  if (query.msg_signature !== '' && deps.secret.mode === 'safe') {
    const echo = openEcho(query, deps.secret, deps.now());
    if (echo.ok) return text(echo.text);
  }
  const checked = checkSigned(query, deps.secret, deps.now());
  if (checked.ok && /^[\w+/=.-]{1,256}$/.test(query.echostr)) return text(query.echostr);
  request.log.warn({ reason: checked.ok ? 'no_echostr' : checked.reason }, 'wechat.refused');
  throw refusal();
}

function openPush(deps: Callback, request: FastifyRequest): { readonly push: Push | null; readonly encrypted: boolean; readonly nonce: string } {
  const query = callbackQuery(request.query);
  const opened = openCallback(Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0), query, deps.secret, deps.now());
  if (!opened.ok) {
    request.log.warn({ reason: opened.reason }, 'wechat.refused');
    throw refusal();
  }
  const push = parsePush(opened.root);
  if (!push) request.log.warn({ reason: 'no_sender' }, 'wechat.ignored');
  return { push, encrypted: opened.encrypted, nonce: query.nonce };
}

/** What is stored after all is found again as a duplicate when the platform asks once more. */
async function storedInTime(work: Promise<ClaimedAnswer>): Promise<ClaimedAnswer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new AppError('store.unreachable', `not stored within ${STORED_WITHIN_MS} ms; the platform sends it again`)), STORED_WITHIN_MS);
  });
  work.catch(() => undefined); // if the limit wins, its failure is no longer anybody's news
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

interface Carrying { readonly messageId: string; readonly reply: FastifyReply; readonly marking: Set<Promise<void>> }

/** Gives back what does not fit, and marks the rest as sent once the answer has left; an answer cut off before stays claimed for the platform's next try. */
async function answerWith(deps: Callback, answer: ClaimedAnswer, { messageId, reply, marking }: Carrying): Promise<string> {
  const { text, used, rest } = composeAnswer(answer.replies);
  if (rest.length > 0) {
    await deps.store.releaseOutbox(rest.map((each) => each.outboxId), deps.now());
    deps.coordination.publish('outbox', '');
  }
  const fresh = used.filter((each) => !each.sent);
  if (fresh.length > 0) reply.raw.once('finish', () => {
    const marked = Promise.all(fresh.map((each) => deps.store.outboxSent(each.outboxId, `answer:${messageId}`, deps.now()))).then(
      () => undefined, (error: unknown) => deps.log.error({ error: String(error) }, 'wechat.answer_not_marked'));
    marking.add(marked);
    void marked.finally(() => marking.delete(marked));
  });
  return text;
}

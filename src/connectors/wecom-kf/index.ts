import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Connector } from '../../domain/ports.ts';
import { callbackQuery, openCallback, openEcho, refusal, type CallbackSecret } from '../wechat/callback.ts';
import type { Download } from '../wechat/fetch-media.ts';
import { textAt } from '../wechat/xml.ts';
import { keepKf, type KfInboundDeps } from './inbound.ts';
import { sendKf, type KfOutboundDeps } from './outbound.ts';
import { isSyncWanted, syncAccount, wantSync } from './sync-account.ts';

export interface KfConnectorDeps extends KfInboundDeps, Pick<KfOutboundDeps, 'readPicture'> {
  readonly secret: CallbackSecret;
  /** The accounts served; callbacks for others are acknowledged and left alone. */
  readonly accounts: readonly string[];
  readonly owner: string;
  /** A callback came: fetch now. */
  readonly wake: () => void;
}

export interface KfConnector extends Connector {
  /** Routes under `/wechat/kf`; hand it to `buildServer`. */
  readonly plugin: (app: FastifyInstance) => Promise<void>;
  readonly download: Download;
  /** Fetches what there is, for a work loop. @returns whether there was something to do */
  readonly sync: () => Promise<boolean>;
}

export const PATH = '/wechat/kf';
const BODY_LIMIT = 64 * 1024;
/** A callback may never have come: looked without being asked so often, and at the start. */
const UNASKED_MS = 5 * 60_000;
const REST_MS = 5_000;

export function buildKfConnector(deps: KfConnectorDeps): KfConnector {
  const lookedAt = new Map<string, number>();
  const restUntil = new Map<string, number>();
  return {
    channel: 'wecom-kf',
    plugin: (app) => registerCallback(app, deps),
    send: (message) => sendKf(deps, message),
    download: (remoteId, mostBytes) => deps.api.download('/cgi-bin/media/get', { media_id: remoteId }, mostBytes),
    async sync() {
      let did = false;
      for (const account of deps.accounts) {
        const now = deps.now();
        const isDue = now - (lookedAt.get(account) ?? 0) > UNASKED_MS || await isSyncWanted(deps.store, account);
        if (!isDue || now < (restUntil.get(account) ?? 0)) continue;
        restUntil.set(account, now + REST_MS); // kept when it throws: a platform that refuses is not asked every second
        did = (await syncAccount({ ...deps, keep: (message, openKfid) => keepKf(deps, message, openKfid) }, account)) || did;
        restUntil.delete(account);
        lookedAt.set(account, now);
      }
      return did;
    },
  };
}

async function registerCallback(app: FastifyInstance, deps: KfConnectorDeps): Promise<void> {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  const schema = { tags: ['wechat'], summary: 'The callback of WeChat Customer Service', hide: true };
  app.get(PATH, { schema, config: { free: true } }, async (request, reply) => reply.type('text/plain; charset=utf-8').send(echoOf(deps, request)));
  app.post(PATH, { schema, config: { free: true }, bodyLimit: BODY_LIMIT }, async (request, reply) => {
    const opened = openCallback(Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0), callbackQuery(request.query), deps.secret, deps.now());
    if (!opened.ok) {
      request.log.warn({ reason: opened.reason }, 'kf.refused');
      throw refusal();
    }
    const account = textAt(opened.root, 'OpenKfId');
    if (textAt(opened.root, 'Event') === 'kf_msg_or_event' && deps.accounts.includes(account)) {
      await wantSync(deps.store, account, { token: textAt(opened.root, 'Token').slice(0, 512), at: deps.now(), id: deps.newId() });
      deps.wake();
    } else request.log.info({ event: textAt(opened.root, 'Event').slice(0, 40) }, 'kf.ignored');
    return reply.type('text/plain').send('success');
  });
}

/** The platform wants the plain text and nothing around it. */
function echoOf(deps: KfConnectorDeps, request: FastifyRequest): string {
  const echo = openEcho(callbackQuery(request.query), deps.secret, deps.now());
  if (echo.ok) return echo.text;
  request.log.warn({ reason: echo.reason }, 'kf.refused');
  throw refusal();
}

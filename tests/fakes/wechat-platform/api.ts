import { CODES, type ApiCall, type Code } from './calls.ts';
import { DAY, HOUR } from './clock.ts';
import { parseObject, type JsonObject } from './json.ts';
import type { CustomerService } from './kf/account.ts';
import { UPLOAD_LIMITS, type MediaKind, type MediaStore } from './media.ts';
import type { OfficialAccount } from './official/account.ts';
import type { Parts } from './parts.ts';
import type { TokenBook, TokenState } from './tokens.ts';
import { isRefusal, jsonAnswer, LOST, type WireAnswer, type WireRequest } from './wire.ts';

type AccountName = 'official' | 'wecom';
type Outcome = object | WireAnswer;

interface Call {
  readonly request: WireRequest;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Empty for GET and for uploads. */
  readonly body: JsonObject;
  readonly account: AccountName | '';
}

interface Route {
  readonly method: 'GET' | 'POST';
  /** Whose token opens it; `none` needs no token, `both` is on either host. */
  readonly opens: AccountName | 'both' | 'none';
  /** The body is a file, not JSON. */
  readonly upload?: true;
  run(call: Call): Outcome | Promise<Outcome>;
}

const HIDDEN = new Set(['access_token', 'secret', 'corpsecret']);
const SHANGHAI_MS = 8 * HOUR;
const isWireAnswer = (value: Outcome): value is WireAnswer => 'body' in value && Buffer.isBuffer(value.body);

/** The HTTP API of both hosts on one base address; records every call. */
export class Api {
  readonly calls: ApiCall[] = [];
  readonly #parts: Parts;
  readonly #official: OfficialAccount;
  readonly #kf: CustomerService;
  readonly #routes: ReadonlyMap<string, Route>;
  readonly #counts = new Map<string, number>();
  #calls = 0;

  constructor(parts: Parts, official: OfficialAccount, kf: CustomerService) {
    this.#parts = parts;
    this.#official = official;
    this.#kf = kf;
    this.#routes = new Map(Object.entries(this.#table()));
  }

  /** `lost`: the caller learns nothing, whether or not the call was carried out. */
  async handle(request: WireRequest): Promise<WireAnswer | typeof LOST> {
    const url = new URL(request.url, this.#parts.baseUrl);
    if (request.method === 'GET' && url.pathname.startsWith('/mmbiz/')) return this.#picture(url.pathname.slice('/mmbiz/'.length));
    const key = `${url.pathname}/${++this.#calls}`;
    const body = parseObject(request.body);
    const record = (outcome: Outcome, account: string, lost?: 'call' | 'answer'): void => void this.calls.push(this.#record(url, body, { outcome, account, ...(lost ? { lost } : {}) }));
    if (this.#parts.faults.strikes('callLost', key)) {
      record({}, '', 'call');
      return LOST;
    }
    const { outcome, account } = await this.#answer(request, url, body, key);
    const lost = this.#parts.faults.strikes('callAnswerLost', key);
    record(outcome, account, lost ? 'answer' : undefined);
    if (lost) return LOST;
    return isWireAnswer(outcome) ? outcome : jsonAnswer(outcome);
  }

  async #answer(request: WireRequest, url: URL, body: JsonObject | undefined, key: string): Promise<{ readonly outcome: Outcome; readonly account: AccountName | '' }> {
    const route = this.#routes.get(url.pathname);
    if (route === undefined) return { outcome: jsonAnswer({ errcode: -404, errmsg: 'the simulator has no such path' }, 404), account: '' };
    if (route.method !== request.method) return { outcome: route.method === 'POST' ? CODES.needPost : { errcode: 43001, errmsg: 'require GET method' }, account: '' };
    const account = this.#accountOf(route, url.searchParams.get('access_token'));
    if (typeof account === 'object') return { outcome: account, account: '' };
    if (this.#isBeyondQuota(url.pathname, account)) return { outcome: CODES.tooFrequent, account };
    if (this.#parts.faults.strikes('busy', key)) return { outcome: CODES.busy, account };
    if (route.method === 'POST' && route.upload === undefined && body === undefined) return { outcome: CODES.badJson, account };
    return { outcome: await route.run({ request, path: url.pathname, query: url.searchParams, body: body ?? {}, account }), account };
  }

  #table(): Readonly<Record<string, Route>> {
    const [official, kf] = [this.#official.sending, this.#kf.sending];
    const post = (opens: AccountName | 'none', run: (body: JsonObject) => object): Route => ({ method: 'POST', opens, run: ({ body }) => run(body) });
    return {
      '/cgi-bin/token': { method: 'GET', opens: 'none', run: ({ query }) => this.#plainToken(query) },
      '/cgi-bin/stable_token': post('none', (body) => this.#stableToken(body)),
      '/cgi-bin/gettoken': { method: 'GET', opens: 'none', run: ({ query }) => this.#corpToken(query) },
      '/cgi-bin/message/custom/send': post('official', (body) => official.customSend(body)),
      '/cgi-bin/message/template/send': post('official', (body) => official.templateSend(body)),
      '/cgi-bin/message/subscribe/bizsend': post('official', (body) => official.bizSend(body)),
      '/cgi-bin/kf/sync_msg': post('wecom', (body) => this.#kf.mailbox.sync(body)),
      '/cgi-bin/kf/send_msg': post('wecom', (body) => kf.sendMessage(body)),
      '/cgi-bin/kf/send_msg_on_event': post('wecom', (body) => kf.sendOnEvent(body)),
      '/cgi-bin/kf/service_state/get': post('wecom', (body) => kf.getState(body)),
      '/cgi-bin/kf/service_state/trans': post('wecom', (body) => kf.changeState(body)),
      '/cgi-bin/media/get': { method: 'GET', opens: 'both', run: (call) => this.#getMedia(call) },
      '/cgi-bin/media/upload': { method: 'POST', opens: 'both', upload: true, run: (call) => this.#upload(call) },
    };
  }

  #plainToken(query: URLSearchParams): object {
    const { appId, secret } = this.#official.settings;
    if (query.get('grant_type') !== 'client_credential') return CODES.badGrantType;
    if (query.get('appid') !== appId) return CODES.badAppId;
    return query.get('secret') === secret ? this.#official.tokens.plain.issue() : CODES.badSecret;
  }

  #stableToken(body: JsonObject): object {
    const { appId, secret } = this.#official.settings;
    if (body['grant_type'] !== 'client_credential') return CODES.badGrantType;
    if (body['appid'] !== appId) return CODES.badAppId;
    return body['secret'] === secret ? this.#official.tokens.stable.stable(body['force_refresh'] === true) : CODES.badSecret;
  }

  #corpToken(query: URLSearchParams): object {
    const { corpId, secret } = this.#kf.settings;
    if (query.get('corpid') !== corpId) return CODES.badAppId;
    return query.get('corpsecret') === secret ? { errcode: 0, errmsg: 'ok', ...this.#kf.tokens.stable(false) } : { errcode: CODES.badCredential.errcode, errmsg: 'invalid credential' };
  }

  /** Which account a token opens, or the platform's refusal. */
  #accountOf(route: Route, token: string | null): AccountName | '' | Code {
    if (route.opens === 'none') return '';
    if (token === null || token === '') return CODES.noToken;
    const { plain, stable } = this.#official.tokens;
    const states = { official: bestOf(plain, stable, token), wecom: this.#kf.tokens.state(token) };
    const asked: readonly AccountName[] = route.opens === 'both' ? ['official', 'wecom'] : [route.opens];
    const good = asked.find((account) => states[account] === 'good');
    if (good !== undefined) return good;
    const known = asked.find((account) => states[account] !== 'unknown');
    const state: TokenState = known === undefined ? 'unknown' : states[known];
    if (state === 'expired') return CODES.tokenExpired;
    const wellFormed = /^[A-Za-z\d]{64,512}$/.test(token);
    return (known ?? asked[0]) === 'wecom' || !wellFormed ? CODES.badToken : CODES.badCredential;
  }

  #isBeyondQuota(path: string, account: AccountName | ''): boolean {
    const day = Math.floor((this.#parts.clock.now() + SHANGHAI_MS) / DAY);
    const count = (this.#counts.get(`${day} ${path}`) ?? 0) + 1;
    this.#counts.set(`${day} ${path}`, count);
    return count > (account === 'wecom' ? this.#kf : this.#official).settings.dailyCalls;
  }

  #mediaOf(call: Call): MediaStore {
    return (call.account === 'wecom' ? this.#kf : this.#official).media;
  }

  #getMedia(call: Call): Outcome {
    const file = this.#mediaOf(call).get(call.query.get('media_id') ?? '');
    if (file === undefined) return CODES.badMediaId;
    if (file.kind === 'video' && call.account === 'official') return { video_url: `${this.#parts.baseUrl}/mmbiz/${call.query.get('media_id') ?? ''}` };
    return { status: 200, headers: { 'content-type': file.contentType, 'content-disposition': `attachment; filename="${file.fileName}"` }, body: file.bytes };
  }

  async #upload(call: Call): Promise<Outcome> {
    const limits: Partial<Record<string, number>> = UPLOAD_LIMITS[call.account === 'wecom' ? 'wecom' : 'official'];
    const kind = call.query.get('type') ?? '';
    const limit = limits[kind];
    if (limit === undefined) return CODES.badMediaType;
    const file = await readUpload(call.request);
    if (file === undefined || file.size === 0) return CODES.noMedia;
    if (file.size > limit) return CODES.badMediaSize;
    const bytes = Buffer.from(await file.arrayBuffer());
    const mediaId = this.#mediaOf(call).put({ kind: kind as MediaKind, bytes, contentType: file.type, fileName: file.name });
    const created = Math.floor(this.#parts.wireNow() / 1000);
    return call.account === 'wecom' ? { errcode: 0, errmsg: 'ok', type: kind, media_id: mediaId, created_at: String(created) } : { type: kind, media_id: mediaId, created_at: created };
  }

  #picture(mediaId: string): WireAnswer {
    const file = this.#official.media.get(mediaId) ?? this.#kf.media.get(mediaId);
    if (file === undefined) return { status: 404, headers: {}, body: Buffer.alloc(0) };
    return { status: 200, headers: { 'content-type': file.contentType }, body: file.bytes };
  }

  #record(url: URL, body: JsonObject | undefined, seen: { readonly outcome: Outcome; readonly account: string; readonly lost?: 'call' | 'answer' }): ApiCall {
    const { outcome, account, lost } = seen;
    const said = isWireAnswer(outcome) ? {} : outcome;
    return {
      at: this.#parts.clock.now(), path: url.pathname, account,
      query: Object.fromEntries([...url.searchParams].filter(([name]) => !HIDDEN.has(name))),
      body: body === undefined ? undefined : Object.fromEntries(Object.entries(body).filter(([name]) => !HIDDEN.has(name))),
      ...(isRefusal(said) ? { errcode: said.errcode, errmsg: said.errmsg } : { errcode: 0, errmsg: 'ok' }),
      status: isWireAnswer(outcome) ? outcome.status : 200, ...(lost === undefined ? {} : { lost }),
    };
  }
}

/** A token of either line will do. */
function bestOf(plain: TokenBook, stable: TokenBook, token: string): TokenState {
  const state = plain.state(token);
  return state === 'unknown' ? stable.state(token) : state;
}

/** The file in the part named `media`; undefined where there is none. */
async function readUpload(request: WireRequest): Promise<File | undefined> {
  try {
    const form = await new Response(new Uint8Array(request.body), { headers: { 'content-type': request.headers['content-type'] ?? '' } }).formData();
    const file = form.get('media');
    return file === null || typeof file === 'string' ? undefined : file;
  } catch {
    return undefined; // not multipart
  }
}

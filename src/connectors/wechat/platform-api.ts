import { z } from 'zod';
import type { AccessTokens } from './access-tokens.ts';

/** What came of one call. `errcode` is the platform's own; a call that never got an answer has none. */
export type ApiAnswer<T> =
  | { readonly ok: true; readonly body: T }
  | { readonly ok: false; readonly reason: 'refused'; readonly errcode: number; readonly message: string }
  | { readonly ok: false; readonly reason: 'timeout' | 'unreachable' | 'http' | 'unreadable' | 'too_large'; readonly message: string };

export interface PlatformApiDeps {
  /** `https://api.weixin.qq.com`, or the gateway that carries to it; a path in it is kept. */
  readonly baseUrl: string;
  readonly timeoutMs: number;
  /** `globalThis.fetch`, or a test's. */
  readonly fetch: typeof fetch;
}

export interface PlatformApi {
  /** JSON to JSON, with an access token. One that the platform no longer takes is renewed once and the call made once more. */
  post<T>(path: string, body: object, shape: z.ZodType<T>): Promise<ApiAnswer<T>>;
  /** A file by the platform's id, at most `mostBytes`. */
  download(path: string, query: Readonly<Record<string, string>>, mostBytes: number): Promise<ApiAnswer<{ readonly bytes: Uint8Array; readonly type: string }>>;
  upload<T>(path: string, query: Readonly<Record<string, string>>, file: { readonly bytes: Uint8Array; readonly mime: string; readonly name: string }, shape: z.ZodType<T>): Promise<ApiAnswer<T>>;
}

/** invalid credential · invalid token · expired token; WeCom has its own number for the second. */
const TOKEN_REFUSED: ReadonlySet<number> = new Set([40001, 40014, 42001]);
const MOST_JSON_BYTES = 8 * 1024 * 1024;
const Failure = z.object({ errcode: z.number().int(), errmsg: z.string().catch('') });

type Request = { readonly method: 'GET' | 'POST'; readonly path: string; readonly query: Readonly<Record<string, string>>; readonly body?: string | FormData; readonly type?: string; readonly mostBytes: number };
type Raw = { readonly bytes: Uint8Array; readonly type: string };

export function buildPlatformApi(deps: PlatformApiDeps, tokens: AccessTokens): PlatformApi {
  /** @throws AppError `platform.unreachable` `platform.refused` when there is no token to be had */
  const withToken = async <T>(request: Request, read: (raw: Raw) => ApiAnswer<T>): Promise<ApiAnswer<T>> => {
    const token = await tokens.get();
    const first = await attempt(token);
    if (first.ok || first.reason !== 'refused' || !TOKEN_REFUSED.has(first.errcode)) return first;
    return attempt(await tokens.renew(token));

    async function attempt(accessToken: string): Promise<ApiAnswer<T>> {
      const raw = await call(deps, { ...request, query: { ...request.query, access_token: accessToken } });
      return raw.ok ? read(raw.body) : raw;
    }
  };
  return {
    post: (path, body, shape) => withToken({ method: 'POST', path, query: {}, body: JSON.stringify(body), type: 'application/json', mostBytes: MOST_JSON_BYTES }, (raw) => readJson(raw, shape)),
    download: (path, query, mostBytes) => withToken<Raw>({ method: 'GET', path, query, mostBytes }, (raw) => (isJson(raw) ? notAFile(raw) : { ok: true as const, body: raw })),
    upload(path, query, file, shape) {
      const form = new FormData();
      form.set('media', new Blob([Buffer.from(file.bytes)], { type: file.mime }), file.name);
      return withToken({ method: 'POST', path, query, body: form, mostBytes: MOST_JSON_BYTES }, (raw) => readJson(raw, shape));
    },
  };
}

/** One call without a token of its own: fetching one. */
export async function callForJson<T>(deps: PlatformApiDeps, request: Omit<Request, 'mostBytes'>, shape: z.ZodType<T>): Promise<ApiAnswer<T>> {
  const raw = await call(deps, { ...request, mostBytes: MOST_JSON_BYTES });
  return raw.ok ? readJson(raw.body, shape) : raw;
}

async function call(deps: PlatformApiDeps, request: Request): Promise<ApiAnswer<Raw>> {
  const url = `${deps.baseUrl.replace(/\/+$/, '')}${request.path}?${new URLSearchParams(request.query).toString()}`;
  const signal = AbortSignal.timeout(deps.timeoutMs);
  try {
    const response = await deps.fetch(url, {
      method: request.method, signal, redirect: 'error', ...(request.body === undefined ? {} : { body: request.body }), ...(request.type === undefined ? {} : { headers: { 'content-type': request.type } }),
    });
    const bytes = await readAtMost(response, request.mostBytes);
    if (bytes === null) return { ok: false, reason: 'too_large', message: `more than ${request.mostBytes} bytes` };
    if (!response.ok) return { ok: false, reason: 'http', message: `HTTP ${response.status}` };
    return { ok: true, body: { bytes, type: response.headers.get('content-type') ?? '' } };
  } catch (error) {
    // Its message may name the address, and the address holds the token: only the kind of failure goes on.
    return signal.aborted ? { ok: false, reason: 'timeout', message: `no answer within ${deps.timeoutMs} ms` } : { ok: false, reason: 'unreachable', message: causeOf(error) };
  }
}

const causeOf = (error: unknown): string => {
  const cause: unknown = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : cause instanceof Error ? cause.name : 'unknown';
};

async function readAtMost(response: Response, mostBytes: number): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > mostBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const isJson = ({ bytes, type }: Raw): boolean => /json|text\/plain/.test(type) && bytes[0] === 0x7b;

function readJson<T>(raw: Raw, shape: z.ZodType<T>): ApiAnswer<T> {
  const body = parseJson(raw.bytes);
  const failure = Failure.safeParse(body);
  if (failure.success && failure.data.errcode !== 0) return { ok: false, reason: 'refused', errcode: failure.data.errcode, message: failure.data.errmsg.slice(0, 200) };
  const parsed = shape.safeParse(body);
  if (parsed.success) return { ok: true, body: parsed.data };
  return { ok: false, reason: 'unreadable', message: parsed.error.issues.map((issue) => issue.path.join('.')).join(', ').slice(0, 200) };
}

/** In place of a file the platform says in JSON why there is none; old media answer with an address. */
function notAFile(raw: Raw): ApiAnswer<never> {
  const failure = Failure.safeParse(parseJson(raw.bytes));
  return failure.success ? { ok: false, reason: 'refused', errcode: failure.data.errcode, message: failure.data.errmsg.slice(0, 200) } : { ok: false, reason: 'unreadable', message: 'JSON in place of a file' };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}

/** For logs and `Sent`: `wechat.45015`, `wechat.timeout`. */
export const failureCode = (prefix: string, failure: Extract<ApiAnswer<never>, { ok: false }>): string => `${prefix}.${failure.reason === 'refused' ? failure.errcode : failure.reason}`;

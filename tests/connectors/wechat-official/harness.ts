import { randomBytes } from 'node:crypto';
import sharp from 'sharp';
import { keyOf, openFrame, sealFrame, signatureOf } from '../../../src/connectors/wechat/crypto.ts';
import { parseXml, textAt } from '../../../src/connectors/wechat/xml.ts';
import { makeApp, type TestApp, type TestOptions } from '../../fakes/test-app.ts';
import { givenUnderstand } from '../../fakes/understanding.ts';

export const ACCOUNT = { appId: 'wx2c2769f8efd9abc2', token: 'spamtest', aesKey: 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG', gh: 'gh_10f6c3c3ac5a' } as const;
export const key = keyOf(ACCOUNT.aesKey);
export const OFFICIAL_ENV = { WECHAT_APP_ID: ACCOUNT.appId, WECHAT_APP_SECRET: 'a-secret-of-some-length', WECHAT_TOKEN: ACCOUNT.token, WECHAT_AES_KEY: ACCOUNT.aesKey, WECHAT_API_URL: 'http://platform.test' };

export interface Call { readonly path: string; readonly body: Record<string, unknown> }

/** The platform's API as far as the connector uses it; `answers` may hold what a path answers next. */
export function stubPlatform() {
  const calls: Call[] = [];
  const answers = new Map<string, (() => Response)[]>();
  const stub = (async (address: string, init?: RequestInit) => {
    const { pathname } = new URL(address);
    calls.push({ path: pathname, body: typeof init?.body === 'string' ? (JSON.parse(init.body) as Record<string, unknown>) : {} });
    const next = answers.get(pathname)?.shift();
    if (next) return next();
    if (pathname === '/cgi-bin/stable_token') return Response.json({ access_token: 'T', expires_in: 7200 });
    if (pathname === '/cgi-bin/media/get') return new Response(new Uint8Array(await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } }).jpeg().toBuffer()), { headers: { 'content-type': 'image/jpeg' } });
    if (pathname === '/cgi-bin/media/upload') return Response.json({ media_id: 'UP', type: 'image' });
    return Response.json({ errcode: 0, errmsg: 'ok' });
  }) as typeof fetch;
  return { calls, answers, fetch: stub, sent: () => calls.filter(({ path }) => path === '/cgi-bin/message/custom/send').map(({ body }) => body) };
}

export async function makeOfficial(options: Partial<TestOptions> = {}): Promise<{ made: TestApp; platform: ReturnType<typeof stubPlatform> }> {
  const platform = stubPlatform();
  const made = await makeApp({ understand: givenUnderstand, fetch: platform.fetch, ...options, env: { ...OFFICIAL_ENV, ...options.env } });
  return { made, platform };
}

let serial = 6_054_768_590_064_713_728n;
export const nextId = (): string => String((serial += 1n));
const CDATA = (value: string): string => `<![CDATA[${value}]]>`;

/** The XML of one push, fields in the platform's order. */
export function pushXml(openid: string, fields: Record<string, string>, at = Math.floor(Date.now() / 1_000)): string {
  const inner = Object.entries({ MsgType: 'text', ...fields }).map(([name, value]) => `<${name}>${value.startsWith('<') ? value : CDATA(value)}</${name}>`).join('\n');
  return `<xml><ToUserName>${CDATA(ACCOUNT.gh)}</ToUserName>\n<FromUserName>${CDATA(openid)}</FromUserName>\n<CreateTime>${at}</CreateTime>\n${inner}\n</xml>`;
}

export interface Posted { readonly status: number; readonly body: string; readonly ms: number; /** The text inside the answer, opened; '' for a mere acknowledgement. */ readonly text: string }

export const signedUrl = (encrypted: string | undefined, now: number, token: string = ACCOUNT.token): string => {
  const timestamp = String(Math.floor(now / 1_000));
  const nonce = randomBytes(6).toString('hex');
  const query: Record<string, string> = { signature: signatureOf(token, timestamp, nonce), timestamp, nonce, openid: 'x' };
  if (encrypted !== undefined) Object.assign(query, { encrypt_type: 'aes', msg_signature: signatureOf(token, timestamp, nonce, encrypted) });
  return `/wechat/official?${new URLSearchParams(query).toString()}`;
};

/** Sealed and signed as the platform does it. */
export async function post(made: TestApp, xml: string, mode: 'safe' | 'compatible' | 'plain' = 'safe'): Promise<Posted> {
  const encrypted = mode === 'plain' ? undefined : sealFrame(xml, key, ACCOUNT.appId);
  const sealed = `<Encrypt>${CDATA(encrypted ?? '')}</Encrypt>`;
  const payload = mode === 'plain' ? xml : mode === 'safe' ? `<xml><ToUserName>${CDATA(ACCOUNT.gh)}</ToUserName>${sealed}</xml>` : xml.replace('</xml>', `${sealed}</xml>`);
  const started = performance.now();
  const response = await made.app.server.inject({ method: 'POST', url: signedUrl(encrypted, made.now()), headers: { 'content-type': 'text/xml' }, payload });
  return { status: response.statusCode, body: response.body, ms: performance.now() - started, text: textOfAnswer(response.body) };
}

function textOfAnswer(body: string): string {
  const outer = parseXml(body);
  if (!outer.ok) return '';
  const encrypted = textAt(outer.root, 'Encrypt');
  if (encrypted === '') return textAt(outer.root, 'Content');
  const timestamp = textAt(outer.root, 'TimeStamp');
  if (signatureOf(ACCOUNT.token, timestamp, textAt(outer.root, 'Nonce'), encrypted) !== textAt(outer.root, 'MsgSignature')) throw new Error('the answer is not signed');
  const opened = openFrame(encrypted, key, ACCOUNT.appId);
  if (!opened.ok) throw new Error(opened.reason);
  const inner = parseXml(opened.message);
  if (!inner.ok) throw new Error(inner.reason);
  return textAt(inner.root, 'Content');
}

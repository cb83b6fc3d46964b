import { carryByInject, PlatformClock, WechatPlatform, type Carry } from '../fakes/wechat-platform/index.ts';
import type { PlatformOptions } from '../fakes/wechat-platform/platform.ts';
import { open, type SealKeys } from '../fakes/wechat-platform/seal.ts';
import { childText, parseXml, type XmlElement } from '../fakes/wechat-platform/xml.ts';

export interface Heard {
  readonly url: URL;
  /** The body as it came. */
  readonly raw: string;
  /** The message, opened where it was encrypted. */
  readonly xml: XmlElement | undefined;
}

export const field = (heard: Heard | undefined, name: string): string | undefined => childText(heard?.xml, name);

export type Answer = string | { readonly status: number; readonly body?: string } | Promise<string>;

export interface Play {
  readonly platform: WechatPlatform;
  readonly clock: PlatformClock;
  /** Everything that reached our side, repetitions included. */
  readonly heard: Heard[];
  /** Says what our side answers; '' until then. */
  answer(with_: (heard: Heard) => Answer): void;
  /** A call of the API with a JSON body, or GET without one. */
  call(path: string, body?: unknown): Promise<Record<string, unknown>>;
  officialToken(): Promise<string>;
  kfToken(): Promise<string>;
}

export const keysOf = (platform: WechatPlatform, channel: 'official' | 'kf'): SealKeys => {
  const { token, aesKey } = platform[channel].settings;
  return { token, aesKey, receiveId: channel === 'official' ? platform.official.settings.appId : platform.kf.settings.corpId };
};

/** A platform with a listener that opens what comes and answers what it is told: no connector of ours is involved. */
export function play(options: PlatformOptions = {}): Play {
  const clock = options.clock ?? new PlatformClock();
  const platform = new WechatPlatform({ clock, ...options });
  const heard: Heard[] = [];
  let answer: (heard: Heard) => Answer = () => '';
  const carry: Carry = carryByInject(async ({ url, payload }) => {
    const come = read(platform, new URL(url, 'http://here.invalid'), payload?.toString() ?? '');
    heard.push(come);
    const said = await answer(come);
    return typeof said === 'string' ? { statusCode: 200, rawPayload: Buffer.from(said) } : { statusCode: said.status, rawPayload: Buffer.from(said.body ?? '') };
  });
  platform.connect(carry);
  const call = async (path: string, body?: unknown): Promise<Record<string, unknown>> => {
    const response = await platform.fetch(`https://api.invalid${path}`, body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) });
    return await response.json() as Record<string, unknown>;
  };
  const { official, kf } = platform;
  return {
    platform, clock, heard, call,
    answer: (with_) => void (answer = with_),
    officialToken: async () => String((await call('/cgi-bin/stable_token', { grant_type: 'client_credential', appid: official.settings.appId, secret: official.settings.secret }))['access_token']),
    kfToken: async () => String((await call(`/cgi-bin/gettoken?corpid=${kf.settings.corpId}&corpsecret=${kf.settings.secret}`))['access_token']),
  };
}

function read(platform: WechatPlatform, url: URL, raw: string): Heard {
  const outer = parseXml(raw);
  const sealed = childText(outer, 'Encrypt');
  if (sealed === undefined) return { url, raw, xml: outer };
  const query = (name: string): string => url.searchParams.get(name) ?? '';
  const channel = query('encrypt_type') === 'aes' ? 'official' : 'kf';
  const opened = open(keysOf(platform, channel), { encrypt: sealed, signature: query('msg_signature'), timestamp: query('timestamp'), nonce: query('nonce') });
  if (!opened.ok) throw new Error(`the platform sent what cannot be opened: ${opened.reason}`);
  return { url, raw, xml: parseXml(opened.text) };
}

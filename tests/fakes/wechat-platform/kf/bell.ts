import type { Delivery } from '../callbacks.ts';
import { wireSeconds, type ChannelParts, type Verification } from '../parts.ts';
import { encrypt, sign, type SealKeys } from '../seal.ts';
import type { WireRequest } from '../wire.ts';
import { writeXml } from '../xml.ts';
import type { KfSettings } from './settings.ts';

/** Tells the corporation's server that there is something to fetch: kf_msg_or_event, always encrypted. */
export class Bell {
  readonly #parts: ChannelParts;
  readonly #settings: KfSettings;
  readonly #issueToken: () => string;
  #rings = 0;

  constructor(parts: ChannelParts, settings: KfSettings, issueToken: () => string) {
    this.#parts = parts;
    this.#settings = settings;
    this.#issueToken = issueToken;
  }

  ring(label: string): Delivery {
    const message = writeXml({
      ToUserName: this.#settings.corpId, CreateTime: wireSeconds(this.#parts), MsgType: 'event', Event: 'kf_msg_or_event', Token: this.#issueToken(), OpenKfId: this.#settings.openKfId,
    });
    return this.#parts.callbacks.deliver({ id: `kf-${++this.#rings}`, label, request: () => this.#request(message), answered: () => undefined, failed: () => undefined });
  }

  /** GET with an encrypted echostr: the answer must be its text alone (no quotes, no BOM, no newline), within 1 s. */
  async verify(): Promise<Verification> {
    const echo = this.#parts.ids.digits(19);
    const { url, sealed } = this.#address(echo);
    url.searchParams.set('echostr', sealed);
    const result = await this.#parts.callbacks.once({ method: 'GET', url: url.href, headers: {}, body: Buffer.alloc(0) }, this.#settings.verifyMs);
    if ('failure' in result) return { ok: false, why: result.failure };
    if (result.answer.status !== 200) return { ok: false, why: `status ${result.answer.status}` };
    return result.answer.body.equals(Buffer.from(echo)) ? { ok: true, why: '' } : { ok: false, why: 'the answer is not the text of echostr' };
  }

  #address(text: string): { readonly url: URL; readonly sealed: string } {
    const { token, aesKey, corpId, callbackUrl } = this.#settings;
    const keys: SealKeys = { token, aesKey, receiveId: corpId };
    const [timestamp, nonce] = [String(wireSeconds(this.#parts)), this.#parts.ids.digits(10)];
    const sealed = encrypt(keys, text, this.#parts.ids.bytes(16));
    const url = new URL(callbackUrl);
    url.searchParams.set('msg_signature', sign(token, timestamp, nonce, sealed));
    url.searchParams.set('timestamp', timestamp);
    url.searchParams.set('nonce', nonce);
    return { url, sealed };
  }

  #request(message: string): WireRequest {
    const { url, sealed } = this.#address(message);
    const body = writeXml({ ToUserName: this.#settings.corpId, Encrypt: sealed, AgentID: '' });
    return { method: 'POST', url: url.href, headers: { 'content-type': 'text/xml' }, body: Buffer.from(body) };
  }
}

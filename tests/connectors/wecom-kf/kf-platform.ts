import { sealFrame, keyOf, signatureOf } from '../../../src/connectors/wechat/crypto.ts';

export const KF = { corpId: 'wx5823bf96d3bd56c7', token: 'QDG6eK', aesKey: 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C', account: 'wkAJ2GCAAASSm4_FhToWMFea0xAFfd3Q' } as const;
export const KF_ENV = { WECOM_CORP_ID: KF.corpId, WECOM_KF_SECRET: 'a-secret-of-some-length', WECOM_TOKEN: KF.token, WECOM_AES_KEY: KF.aesKey, WECOM_KF_IDS: KF.account, WECOM_API_URL: 'http://wecom.test' };
const key = keyOf(KF.aesKey);

export interface KfCall { readonly path: string; readonly body: Record<string, unknown> }

/** The log of one account: `sync_msg` gives what stands behind the cursor, `pageSize` at a time. */
export class KfPlatform {
  readonly log: Record<string, unknown>[] = [];
  readonly calls: KfCall[] = [];
  readonly answers = new Map<string, (() => object)[]>();
  pageSize = 1_000;
  #serial = 0;

  says(user: string, over: Record<string, unknown>, origin = 3): string {
    const msgid = `m${String((this.#serial += 1)).padStart(6, '0')}`;
    this.log.push({ msgid, open_kfid: KF.account, external_userid: user, send_time: Math.floor(Date.now() / 1_000), origin, ...over });
    return msgid;
  }
  text(user: string, content: string): string {
    return this.says(user, { msgtype: 'text', text: { content } });
  }
  event(fields: Record<string, unknown>): string {
    return this.says('', { msgtype: 'event', external_userid: undefined, event: { open_kfid: KF.account, ...fields } }, 4);
  }
  sent(): Record<string, unknown>[] {
    return this.calls.filter(({ path }) => path === '/cgi-bin/kf/send_msg').map(({ body }) => body);
  }
  answer(path: string, body: Record<string, unknown>): object {
    this.calls.push({ path, body });
    const next = this.answers.get(path)?.shift();
    if (next) return next();
    if (path === '/cgi-bin/gettoken') return { errcode: 0, access_token: 'W', expires_in: 7200 };
    if (path === '/cgi-bin/kf/sync_msg') {
      const from = Number(body['cursor'] ?? 0);
      const msg_list = this.log.slice(from, from + this.pageSize);
      return { errcode: 0, errmsg: 'ok', next_cursor: String(from + msg_list.length), has_more: from + msg_list.length < this.log.length ? 1 : 0, msg_list };
    }
    return { errcode: 0, errmsg: 'ok', msgid: body['msgid'] };
  }
  readonly fetch = (async (address: string, init?: RequestInit) =>
    Response.json(this.answer(new URL(address).pathname, typeof init?.body === 'string' ? (JSON.parse(init.body) as Record<string, unknown>) : {}))) as typeof fetch;
}

export function kfCallback(over: { token?: string; account?: string; receiver?: string; now?: number } = {}): { url: string; payload: string } {
  const xml = `<xml><ToUserName><![CDATA[${KF.corpId}]]></ToUserName><CreateTime>1348831860</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[kf_msg_or_event]]></Event><Token><![CDATA[ENCApHxnGDNAVNY4AaSJKj4Tb5mwsEMzxhFmHVGcra996NR]]></Token><OpenKfId><![CDATA[${over.account ?? KF.account}]]></OpenKfId></xml>`;
  const encrypted = sealFrame(xml, key, over.receiver ?? KF.corpId);
  return { url: kfUrl(encrypted, over), payload: `<xml><ToUserName><![CDATA[${KF.corpId}]]></ToUserName><AgentID></AgentID><Encrypt><![CDATA[${encrypted}]]></Encrypt></xml>` };
}

export function kfUrl(encrypted: string, over: { token?: string; now?: number } = {}, echo = false): string {
  const timestamp = String(Math.floor((over.now ?? Date.now()) / 1_000));
  const nonce = '263014780';
  const query = { msg_signature: signatureOf(over.token ?? KF.token, timestamp, nonce, encrypted), timestamp, nonce, ...(echo ? { echostr: encrypted } : {}) };
  return `/wechat/kf?${new URLSearchParams(query).toString()}`;
}
export const sealed = (text: string): string => sealFrame(text, key, KF.corpId);

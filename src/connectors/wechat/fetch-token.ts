import { z } from 'zod';
import { AppError } from '../../domain/errors.ts';
import type { FetchedToken } from './access-tokens.ts';
import { callForJson, type ApiAnswer, type PlatformApiDeps } from './platform-api.ts';

const Token = z.object({ access_token: z.string().min(1).max(4_096), expires_in: z.number().int().positive() });

/** An Official Account's, from `stable_token`, which other systems of the city may ask at the same time without making ours worthless. */
export function officialToken(api: PlatformApiDeps, account: { readonly appId: string; readonly secret: string }) {
  return async (insist: boolean): Promise<FetchedToken> => toToken(await callForJson(api, {
    method: 'POST', path: '/cgi-bin/stable_token', query: {}, type: 'application/json',
    body: JSON.stringify({ grant_type: 'client_credential', appid: account.appId, secret: account.secret, force_refresh: insist }),
  }, Token), 'WECHAT_APP_ID, WECHAT_APP_SECRET and the IP allow-list');
}

/** WeCom's, which is the same for everybody until it dies. */
export function wecomToken(api: PlatformApiDeps, account: { readonly corpId: string; readonly secret: string }) {
  return async (): Promise<FetchedToken> =>
    toToken(await callForJson(api, { method: 'GET', path: '/cgi-bin/gettoken', query: { corpid: account.corpId, corpsecret: account.secret } }, Token), 'WECOM_CORP_ID, WECOM_KF_SECRET and the trusted IPs');
}

function toToken(answer: ApiAnswer<z.infer<typeof Token>>, check: string): FetchedToken {
  if (answer.ok) return { token: answer.body.access_token, lifetimeMs: answer.body.expires_in * 1_000 };
  if (answer.reason === 'refused') throw new AppError('platform.refused', `no access token (${answer.errcode}); check ${check}`);
  throw new AppError('platform.unreachable', `no access token (${answer.reason}: ${answer.message}); check the network path to the platform`);
}

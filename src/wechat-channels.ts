import { CHIPS, SAY } from './bot/prompts.zh.ts';
import type { Config } from './config.ts';
import { buildOfficialConnector, type OfficialConnector, type OfficialConnectorDeps } from './connectors/wechat-official/index.ts';
import { buildAccessTokens, type AccessTokenDeps } from './connectors/wechat/access-tokens.ts';
import type { CallbackSecret } from './connectors/wechat/callback.ts';
import { keyOf } from './connectors/wechat/crypto.ts';
import { fetchOneMedia, type Download, type FetchMediaDeps } from './connectors/wechat/fetch-media.ts';
import { officialToken } from './connectors/wechat/fetch-token.ts';
import { buildPlatformApi, type PlatformApi, type PlatformApiDeps } from './connectors/wechat/platform-api.ts';
import { startWorkLoop, type WorkLoop } from './coordination/work-loop.ts';
import type { NewId } from './domain/ids.ts';
import type { Channel } from './domain/message.ts';
import type { Connector, Coordination, Logger } from './domain/ports.ts';
import type { OpenedStore } from './store/open-store.ts';
import { sealedSetting } from './store/sealed-settings.ts';

export interface WechatParts {
  readonly config: Config;
  readonly store: OpenedStore;
  readonly coordination: Coordination;
  readonly receive: OfficialConnectorDeps['receive'];
  /** Wakes whoever waits for what was just committed. */
  readonly afterCommit: (conversationId: string | undefined) => void;
  readonly media: { read: OfficialConnectorDeps['readPicture']; save: FetchMediaDeps['savePicture']; keep: FetchMediaDeps['keepRecording'] };
  readonly fetch: typeof fetch;
  readonly owner: string;
  readonly now: () => number;
  readonly newId: NewId;
  readonly log: Logger;
}

export interface WechatChannels {
  readonly connectors: readonly Connector[];
  readonly plugins: readonly OfficialConnector['plugin'][];
  startLoops(): readonly WorkLoop[];
}

const MEDIA_POLL_MS = 1_000;
const GREETING = { text: SAY.greeting, chips: [CHIPS.human, CHIPS.status] };

/** The part of the composition root that knows WeChat: a channel is here when it is configured, and not otherwise. */
export function buildWechatChannels(parts: WechatParts): WechatChannels {
  const official = buildOfficial(parts);
  const downloads = new Map<Channel, Download>();
  if (official) downloads.set('wechat-official', official.download);
  const { store, owner, now, log } = parts;
  const mediaDeps: FetchMediaDeps = {
    store, downloads, owner, now, log, savePicture: parts.media.save, keepRecording: parts.media.keep, onTold: () => parts.afterCommit(undefined),
  };
  return {
    connectors: official ? [official] : [],
    plugins: official ? [official.plugin] : [],
    startLoops: () => (downloads.size === 0 ? [] : [startWorkLoop({ name: 'media', work: () => fetchOneMedia(mediaDeps), pollMs: MEDIA_POLL_MS, concurrency: 2, log })]),
  };
}

function buildOfficial(parts: WechatParts): OfficialConnector | null {
  const { WECHAT_APP_ID: appId, WECHAT_APP_SECRET: secret, WECHAT_TOKEN: token, WECHAT_AES_KEY: aesKey, WECHAT_MODE: mode } = parts.config;
  if (appId === undefined || secret === undefined || token === undefined) return null;
  const network = networkOf(parts, parts.config.WECHAT_API_URL);
  return buildOfficialConnector({
    ...parts, greeting: GREETING, readPicture: parts.media.read, waitMs: parts.config.WECHAT_REPLY_WAIT_MS, mostWaiting: parts.config.WECHAT_REPLY_WAITERS,
    secret: callbackSecret(parts.config, { token, aesKey, receiverId: appId, mode }), api: apiOf(parts, network, `official:${appId}`, officialToken(network, { appId, secret })),
  });
}

const networkOf = (parts: WechatParts, baseUrl: string): PlatformApiDeps => ({ baseUrl, timeoutMs: parts.config.PLATFORM_TIMEOUT_MS, fetch: parts.fetch });

function apiOf(parts: WechatParts, network: PlatformApiDeps, name: string, fetchToken: AccessTokenDeps['fetchToken']): PlatformApi {
  const { store, owner, now, log } = parts;
  return buildPlatformApi(network, buildAccessTokens({ name, fetchToken, store, secret: sealedSetting(store, store.keyring, `token:${name}`), owner, now, log }));
}

function callbackSecret(config: Config, { aesKey, ...rest }: { readonly token: string; readonly aesKey: string | undefined; readonly receiverId: string; readonly mode: CallbackSecret['mode'] }): CallbackSecret {
  return { ...rest, key: aesKey === undefined ? null : keyOf(aesKey), windowMs: config.CALLBACK_WINDOW_SECONDS * 1_000 };
}

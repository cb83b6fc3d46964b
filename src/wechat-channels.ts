import { CHIPS, SAY } from './bot/prompts.zh.ts';
import type { Config } from './config.ts';
import { buildOfficialConnector, type OfficialConnector, type OfficialConnectorDeps } from './connectors/wechat-official/index.ts';
import { buildKfConnector, type KfConnector } from './connectors/wecom-kf/index.ts';
import { buildAccessTokens, type AccessTokenDeps } from './connectors/wechat/access-tokens.ts';
import type { CallbackSecret } from './connectors/wechat/callback.ts';
import { keyOf } from './connectors/wechat/crypto.ts';
import { fetchOneMedia, type Download, type FetchMediaDeps } from './connectors/wechat/fetch-media.ts';
import { officialToken, wecomToken } from './connectors/wechat/fetch-token.ts';
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
  readonly plugins: readonly (OfficialConnector | KfConnector)['plugin'][];
  startLoops(): readonly WorkLoop[];
}

const POLL_MS = 1_000;
const KF_TOPIC = 'kf';
const GREETING = { text: SAY.greeting, chips: [CHIPS.human, CHIPS.status] };

/** The part of the composition root that knows WeChat: a channel is here when it is configured, and not otherwise. */
export function buildWechatChannels(parts: WechatParts): WechatChannels {
  const { store, owner, now, log } = parts;
  const kf = buildKf(parts);
  const channels = [buildOfficial(parts), kf].filter((each) => each !== null);
  const downloads = new Map<Channel, Download>(channels.map((each) => [each.channel, each.download]));
  const mediaDeps: FetchMediaDeps = {
    store, downloads, owner, now, log, savePicture: parts.media.save, keepRecording: parts.media.keep, onTold: () => parts.afterCommit(undefined),
  };
  return {
    connectors: channels, plugins: channels.map((each) => each.plugin),
    startLoops() {
      if (channels.length === 0) return [];
      const media = startWorkLoop({ name: 'media', work: () => fetchOneMedia(mediaDeps), pollMs: POLL_MS, concurrency: 2, log });
      return kf ? [media, startSync(parts, kf)] : [media];
    },
  };
}

function startSync(parts: WechatParts, kf: KfConnector): WorkLoop {
  const loop = startWorkLoop({ name: 'kf', work: () => kf.sync(), pollMs: POLL_MS, concurrency: 1, log: parts.log });
  const stopListening = parts.coordination.subscribe(KF_TOPIC, loop.wake);
  return { wake: loop.wake, stop: async () => { stopListening(); await loop.stop(); } };
}

function buildKf(parts: WechatParts): KfConnector | null {
  const { WECOM_CORP_ID: corpId, WECOM_KF_SECRET: secret, WECOM_TOKEN: token, WECOM_AES_KEY: aesKey, WECOM_KF_IDS: accounts } = parts.config;
  if (corpId === undefined || secret === undefined || token === undefined || aesKey === undefined) return null;
  const network = networkOf(parts, parts.config.WECOM_API_URL);
  return buildKfConnector({
    ...parts, greeting: GREETING, ended: SAY.operatorGone, readPicture: parts.media.read, accounts, wake: () => parts.coordination.publish(KF_TOPIC, ''),
    secret: callbackSecret(parts.config, { token, aesKey, receiverId: corpId, mode: 'safe' }), api: apiOf(parts, network, `kf:${corpId}`, wecomToken(network, { corpId, secret })),
  });
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

import { resolve } from 'node:path';
import { z } from 'zod';
import { AppError } from './domain/errors.ts';

const counted = z.enum(['calendar', 'workdays']).default('calendar');
/** An empty line in `.env` means the same as no line. */
const empty = (value: unknown): unknown => (value === '' ? undefined : value);
const list = z.preprocess(empty, z.string().default('').transform((value) => value.split(',').map((each) => each.trim()).filter((each) => each !== '')));

/** Both ends of a callback know it; the console takes 3 to 32 letters and digits. */
const callbackToken = z.string().regex(/^[0-9a-zA-Z]{3,32}$/, '3 to 32 letters and digits, as in the console').optional();
const aesKey = z.string().regex(/^[0-9a-zA-Z+/]{43}$/, 'the 43 characters of EncodingAESKey in the console').optional();
/** A channel is on when all of its keys are set, off when none is. */
const OFFICIAL_KEYS = ['WECHAT_APP_ID', 'WECHAT_APP_SECRET', 'WECHAT_TOKEN', 'WECHAT_AES_KEY'] as const;
const KF_KEYS = ['WECOM_CORP_ID', 'WECOM_KF_SECRET', 'WECOM_TOKEN', 'WECOM_AES_KEY', 'WECOM_KF_IDS'] as const;
const isAbsent = (value: string | readonly string[] | undefined): boolean => value === undefined || value.length === 0;

/** Every setting there is, once: key, shape, default. `.env.example` lists the same keys (a test keeps them equal). */
export const ConfigSchema = z.object({
  PORT: z.preprocess(empty, z.coerce.number().int().min(0).max(65_535).default(3000)),
  HOST: z.preprocess(empty, z.string().default('127.0.0.1')),
  PUBLIC_URL: z.preprocess(empty, z.url().optional()),
  DATA_DIR: z.preprocess(empty, z.string().default('var')),
  DATABASE_URL: z.preprocess(empty, z.url({ protocol: /^postgres(ql)?$/ }).optional()),
  DATABASE_SCHEMA: z.preprocess(empty, z.string().regex(/^[a-z_][a-z0-9_]{0,40}$/).default('jiban')),
  REDIS_URL: z.preprocess(empty, z.url({ protocol: /^rediss?$/ }).optional()),
  REDIS_PREFIX: z.preprocess(empty, z.string().max(64).default('jiban:')),
  CITY_DIR: z.preprocess(empty, z.string().default('config/beijing')),
  MODEL_DIR: z.preprocess(empty, z.string().default('models')),
  SEGMENTER: z.preprocess(empty, z.enum(['jieba-rs', 'nodejieba']).default('jieba-rs')),
  UNDERSTAND_WORKERS: z.preprocess(empty, z.coerce.number().int().min(1).max(64).optional()),
  UTC_OFFSET_MINUTES: z.preprocess(empty, z.coerce.number().int().min(-720).max(840).default(480)),
  DEADLINE_MODE_H24: z.preprocess(empty, counted),
  DEADLINE_MODE_D7: z.preprocess(empty, counted),
  DEADLINE_MODE_D15: z.preprocess(empty, counted),
  FOLLOW_UP_DAYS: z.preprocess(empty, z.coerce.number().min(0.001).max(90).default(3)),
  OBJECTION_WORKDAYS: z.preprocess(empty, z.coerce.number().int().min(1).max(10).default(1)),
  ALLOWED_ORIGINS: list,
  TRUST_PROXY: list,
  WECHAT_APP_ID: z.preprocess(empty, z.string().regex(/^wx[0-9a-zA-Z]{8,32}$/, 'the AppID of the account, wx…').optional()),
  WECHAT_APP_SECRET: z.preprocess(empty, z.string().min(16).max(128).optional()),
  WECHAT_TOKEN: z.preprocess(empty, callbackToken),
  WECHAT_AES_KEY: z.preprocess(empty, aesKey),
  WECHAT_MODE: z.preprocess(empty, z.enum(['safe', 'compatible', 'plain']).default('safe')),
  WECHAT_API_URL: z.preprocess(empty, z.url({ protocol: /^https?$/ }).default('https://api.weixin.qq.com')),
  WECHAT_REPLY_WAIT_MS: z.preprocess(empty, z.coerce.number().int().min(0).max(4_300).default(3_500)),
  WECHAT_REPLY_WAITERS: z.preprocess(empty, z.coerce.number().int().min(0).max(10_000).default(64)),
  WECOM_CORP_ID: z.preprocess(empty, z.string().regex(/^[0-9a-zA-Z]{8,64}$/, 'the CorpID, ww…').optional()),
  WECOM_KF_SECRET: z.preprocess(empty, z.string().min(16).max(128).optional()),
  WECOM_TOKEN: z.preprocess(empty, callbackToken),
  WECOM_AES_KEY: z.preprocess(empty, aesKey),
  WECOM_KF_IDS: list,
  WECOM_API_URL: z.preprocess(empty, z.url({ protocol: /^https?$/ }).default('https://qyapi.weixin.qq.com')),
  PLATFORM_TIMEOUT_MS: z.preprocess(empty, z.coerce.number().int().min(100).max(60_000).default(8_000)),
  CALLBACK_WINDOW_SECONDS: z.preprocess(empty, z.coerce.number().int().min(30).max(86_400).default(600)),
  LOG_LEVEL: z.preprocess(empty, z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info')),
}).superRefine((config, context) => {
  for (const channel of [OFFICIAL_KEYS, KF_KEYS]) {
    const needed: readonly (typeof OFFICIAL_KEYS | typeof KF_KEYS)[number][] = config.WECHAT_MODE === 'plain' ? channel.filter((key) => key !== 'WECHAT_AES_KEY') : channel;
    const absent = needed.filter((key) => isAbsent(config[key]));
    if (absent.length === needed.length) continue;
    for (const key of absent) context.addIssue({ code: 'custom', path: [key], message: `is needed too, for ${needed.filter((each) => each !== key).join(', ')}; leave all of them empty to keep the channel off` });
  }
});

export type Config = Readonly<z.infer<typeof ConfigSchema>>;

/**
 * Reads and checks the settings; relative folders count from `root`.
 * @throws AppError `config.invalid`, naming every key that is wrong
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>, root: string): Config {
  const parsed = ConfigSchema.safeParse(env);
  if (!parsed.success) {
    const wrong = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`).join('\n');
    throw new AppError('config.invalid', `the settings (environment or .env) are not usable:\n${wrong}`);
  }
  const { data } = parsed;
  return { ...data, DATA_DIR: resolve(root, data.DATA_DIR), CITY_DIR: resolve(root, data.CITY_DIR), MODEL_DIR: resolve(root, data.MODEL_DIR) };
}

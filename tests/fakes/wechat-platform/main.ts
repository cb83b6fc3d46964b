/** `npm run wechat-sim`: the platform on this machine, and a phone in the browser. How to use it: docs/wechat-sim.md, or `--help`. */
import { parseArgs } from 'node:util';
import { PlatformClock } from './clock.ts';
import { carryOverHttp, serverOver } from './http.ts';
import type { CallbackMode } from './official/passive-reply.ts';
import type { SubscriptionDefinition, TemplateDefinition } from './official/settings.ts';
import { handleDesk } from './page/desk.ts';
import { WechatPlatform } from './platform.ts';
import { PEOPLE } from './words.zh.ts';

const HELP = `Usage: npm run wechat-sim -- [options]

  --port N              where the simulator listens on 127.0.0.1 (default 5230)
  --official URL        callback address of the Official Account (default http://127.0.0.1:3000/wechat/official)
  --kf URL              callback address of customer service (default http://127.0.0.1:3000/wechat/kf)
  --mode MODE           plain, compatible or safe (default safe)
  --template ID=A,B     a template message with fields A and B; may be repeated
  --subscription ID=TERM:A,B
                        a subscription notice, TERM once or long; may be repeated
  --seed N              ids and schedule of faults as in the run that printed N (default: new ones)
  --help                this text
`;

const MODES: readonly CallbackMode[] = ['plain', 'compatible', 'safe'];

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '5230' }, official: { type: 'string' }, kf: { type: 'string' }, mode: { type: 'string', default: 'safe' },
    template: { type: 'string', multiple: true, default: ['SIM-TICKET=number,state,time'] },
    subscription: { type: 'string', multiple: true, default: ['SIM-ONCE=once:thing1,time2', 'SIM-LONG=long:thing1,time2'] },
    seed: { type: 'string', default: String(Date.now() % 2_147_483_647) }, help: { type: 'boolean', default: false },
  },
});

const contentOf = (fields: string): string => fields.split(',').map((name) => `{{${name.trim()}.DATA}}`).join('\n');

function readTemplate(text: string): [string, TemplateDefinition] {
  const found = /^([^=]+)=([\w,\s]+)$/.exec(text);
  if (found === null) throw new Error(`--template must read ID=A,B, not ${text}`);
  return [found[1] ?? '', { content: contentOf(found[2] ?? '') }];
}

function readSubscription(text: string): [string, SubscriptionDefinition] {
  const found = /^([^=]+)=(once|long):([\w,\s]+)$/.exec(text);
  if (found === null) throw new Error(`--subscription must read ID=once:A,B or ID=long:A,B, not ${text}`);
  return [found[1] ?? '', { term: found[2] === 'long' ? 'long' : 'once', content: contentOf(found[3] ?? '') }];
}

function readNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new Error(`--${name} must be a whole number, not ${text}`);
  return value;
}

/** The lines for .env; names are those of Jiban's settings. */
function settingsText({ official, kf }: WechatPlatform, baseUrl: string): string {
  return `# Official Account
WECHAT_API_URL=${baseUrl}
WECHAT_APP_ID=${official.settings.appId}
WECHAT_APP_SECRET=${official.settings.secret}
WECHAT_MODE=${values.mode}
WECHAT_TOKEN=${official.settings.token}
WECHAT_AES_KEY=${official.settings.aesKey}
# customer service
WECOM_API_URL=${baseUrl}
WECOM_CORP_ID=${kf.settings.corpId}
WECOM_KF_SECRET=${kf.settings.secret}
WECOM_KF_IDS=${kf.settings.openKfId}
WECOM_TOKEN=${kf.settings.token}
WECOM_AES_KEY=${kf.settings.aesKey}
`;
}

function start(): void {
  const mode = MODES.find((each) => each === values.mode);
  if (mode === undefined) throw new Error(`--mode must be one of ${MODES.join(', ')}, not ${values.mode}`);
  const baseUrl = `http://127.0.0.1:${readNumber('port', values.port)}`;
  const platform = new WechatPlatform({
    // Windows and tokens go by the clock that the page moves; what is written into callbacks stays real, or our side would refuse it as stale.
    clock: new PlatformClock({ wall: Date.now }), wireNow: Date.now, baseUrl, seed: readNumber('seed', values.seed),
    official: {
      mode, templates: Object.fromEntries(values.template.map(readTemplate)), subscriptions: Object.fromEntries(values.subscription.map(readSubscription)),
      ...(values.official === undefined ? {} : { callbackUrl: values.official }),
    },
    kf: { foreignCursors: 'from_start', ...(values.kf === undefined ? {} : { callbackUrl: values.kf }) },
  });
  platform.connect(carryOverHttp);
  for (const [index, name] of PEOPLE.entries()) platform.person(`p${index + 1}`, name);
  const settings = settingsText(platform, baseUrl);
  const server = serverOver(handleDesk({ platform, settings }));
  server.listen(readNumber('port', values.port), '127.0.0.1', () => {
    process.stdout.write(`The simulated WeChat listens at ${baseUrl} (open it: that is the phone).
Callbacks go to ${platform.official.settings.callbackUrl} (${mode} mode)
            and ${platform.kf.settings.callbackUrl}
Seed ${values.seed}

For .env:

${settings}
`);
  });
  const stop = (): void => {
    platform.close();
    server.closeAllConnections();
    server.close();
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
}

if (values.help) process.stdout.write(HELP);
else start();

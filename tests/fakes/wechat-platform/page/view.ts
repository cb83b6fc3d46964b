import type { Delivery } from '../callbacks.ts';
import type { Person } from '../person.ts';
import type { WechatPlatform } from '../platform.ts';

/** How many of the newest deliveries and calls the page is given. */
const NEWEST = 80;

/** Everything the page draws, for one person. */
export function viewOf(platform: WechatPlatform, person: Person): object {
  const { clock, official, kf, faults } = platform;
  const follower = official.follower(person);
  const conversation = kf.conversation(person);
  return {
    now: clock.now(), aheadMs: clock.ahead,
    people: platform.people.map(({ id, name }) => ({ id, name })),
    person: { id: person.id, name: person.name, openId: person.openId, externalUserId: person.externalUserId, screen: person.screen },
    official: {
      following: follower.following, blocksTemplates: follower.blocksTemplates, mode: official.settings.mode, ...follower.budget.state(clock.now()),
      subscriptions: Object.entries(official.settings.subscriptions).map(([id, { term }]) => ({ id, term, consents: consentsOf(follower.consents.get(id)) })),
    },
    kf: { state: conversation.state, servicer: conversation.servicer, left: conversation.until > clock.now() ? conversation.left : 0, until: conversation.until, refuses: conversation.refuses },
    deliveries: platform.deliveries.slice().sort(byFirstTry).slice(-NEWEST).map((delivery) => deliveryOf(platform, delivery)),
    calls: platform.calls.map((call, number) => ({ number, ...call })).slice(-NEWEST),
    faults: faults.rates,
  };
}

/** JSON knows no Infinity: -1 stands for a consent without end. */
const consentsOf = (count = 0): number => (count === Infinity ? -1 : count);

const byFirstTry = (a: Delivery, b: Delivery): number => (a.tries[0]?.at ?? Infinity) - (b.tries[0]?.at ?? Infinity);

function deliveryOf(platform: WechatPlatform, { id, label, tries, over }: Delivery): object {
  const reply = platform.official.letters.replies.find(({ deliveryId }) => deliveryId === id)?.reply;
  return { id, label, channel: id.startsWith('kf-') ? 'kf' : 'official', over, tries, ...(reply === undefined ? {} : { reply: reply.kind, why: 'why' in reply ? reply.why : '' }) };
}

import { HOUR } from '../clock.ts';
import type { Fault } from '../faults.ts';
import { numberOf, textOf, type JsonObject } from '../json.ts';
import type { Person } from '../person.ts';
import type { WechatPlatform } from '../platform.ts';

/** A gesture of the page: what it carries is checked by the platform, which throws where it makes no sense. */
type Gesture = (platform: WechatPlatform, person: Person, given: JsonObject) => unknown;

const placeOf = (given: JsonObject): { latitude: number; longitude: number; label: string } => {
  const [latitude, longitude] = [numberOf(given, 'latitude'), numberOf(given, 'longitude')];
  if (latitude === undefined || longitude === undefined) throw new Error('a place needs latitude and longitude');
  return { latitude, longitude, label: textOf(given, 'label') };
};
const linkOf = (given: JsonObject): { title: string; description: string; url: string } => ({ title: textOf(given, 'title'), description: textOf(given, 'description'), url: textOf(given, 'url') });
const FAULTS: ReadonlySet<string> = new Set<Fault>(['callbackLost', 'answerLost', 'callbackTwice', 'callbackLate', 'callLost', 'callAnswerLost', 'busy', 'emptyPage', 'templateFails']);
const isFault = (name: string): name is Fault => FAULTS.has(name);

export const GESTURES: Readonly<Record<string, Gesture>> = {
  'official.follow': ({ official }, person) => official.follow(person),
  'official.unfollow': ({ official }, person) => official.unfollow(person),
  'official.scan': ({ official }, person, given) => official.scan(person, textOf(given, 'scene')),
  'official.click': ({ official }, person, given) => official.click(person, textOf(given, 'key')),
  'official.view': ({ official }, person, given) => official.view(person, textOf(given, 'url')),
  'official.text': ({ official }, person, given) => official.text(person, textOf(given, 'text')),
  'official.tapMenu': ({ official }, person, given) => official.tapMenu(person, textOf(given, 'id')),
  'official.image': ({ official }, person) => official.image(person),
  'official.voice': ({ official }, person, given) => official.voice(person, { recognition: textOf(given, 'recognition') }),
  'official.video': ({ official }, person) => official.video(person),
  'official.location': ({ official }, person, given) => official.location(person, placeOf(given)),
  'official.selectLocation': ({ official }, person, given) => official.selectLocation(person, textOf(given, 'key'), placeOf(given)),
  'official.reportLocation': ({ official }, person, given) => official.reportLocation(person, placeOf(given)),
  'official.link': ({ official }, person, given) => official.link(person, linkOf(given)),
  'official.subscribe': ({ official }, person, given) => official.answerSubscriptions(person, [{ templateId: textOf(given, 'templateId'), status: given['accept'] === true ? 'accept' : 'reject' }]),
  'official.blockTemplates': ({ official }, person, given) => (official.follower(person).blocksTemplates = given['on'] === true),
  'kf.enter': ({ kf }, person) => kf.enter(person),
  'kf.text': ({ kf }, person, given) => kf.text(person, textOf(given, 'text')),
  'kf.tapMenu': ({ kf }, person, given) => kf.tapMenu(person, textOf(given, 'id')),
  'kf.image': ({ kf }, person) => kf.image(person),
  'kf.voice': ({ kf }, person) => kf.voice(person),
  'kf.video': ({ kf }, person) => kf.video(person),
  'kf.location': ({ kf }, person, given) => kf.location(person, placeOf(given)),
  'kf.link': ({ kf }, person, given) => kf.link(person, linkOf(given)),
  'kf.refuse': ({ kf }, person) => kf.refuse(person),
  'kf.servicerTakes': ({ kf }, person) => kf.servicerTakes(person, kf.settings.servicers[0] ?? ''),
  'kf.servicerSays': ({ kf }, person, given) => kf.servicerSays(person, textOf(given, 'text')),
  'kf.servicerEnds': ({ kf }, person) => kf.servicerEnds(person),
  'kf.ringAgain': ({ kf }) => kf.ringAgain(),
  'clock.advance': ({ clock }, _person, given) => clock.advance((numberOf(given, 'hours') ?? 0) * HOUR),
  'tokens.expire': (platform) => eachBook(platform, (book) => book.expireAll()),
  'tokens.revoke': (platform) => eachBook(platform, (book) => book.revokeAll()),
  'fault.force': ({ faults }, _person, given) => {
    const name = textOf(given, 'fault');
    if (!isFault(name)) throw new Error(`no fault ${name}`);
    faults.force(name);
  },
  'fault.rate': ({ faults }, _person, given) => {
    const name = textOf(given, 'fault');
    if (!isFault(name)) throw new Error(`no fault ${name}`);
    faults.set({ [name]: Math.min(1, Math.max(0, numberOf(given, 'rate') ?? 0)) });
  },
};

function eachBook({ official, kf }: WechatPlatform, change: (book: WechatPlatform['kf']['tokens']) => void): void {
  for (const book of [official.tokens.plain, official.tokens.stable, kf.tokens]) change(book);
}

/** A file from the developer's disk, as a message of the person. */
export function sendFile(platform: WechatPlatform, person: Person, file: { readonly channel: string; readonly kind: string; readonly bytes: Buffer; readonly contentType: string; readonly recognition: string }): void {
  const { channel, kind, bytes, contentType, recognition } = file;
  const account = channel === 'kf' ? platform.kf : platform.official;
  if (kind === 'image') account.image(person, bytes, contentType);
  else if (kind === 'video') account.video(person, bytes);
  else if (kind !== 'voice') throw new Error(`no such kind of file: ${kind}`);
  else if (channel === 'kf') platform.kf.voice(person, bytes);
  else platform.official.voice(person, { bytes, recognition });
}

import type { Catalogue } from '../domain/catalogue.ts';
import { isOpen, type Ticket } from '../domain/ticket.ts';
import { isProposed } from '../domain/special-ways.ts';
import type { Understanding } from '../domain/understanding.ts';
import { addressOf } from './draft.ts';

/** Rule of the life-safety layer → type of the default catalogue; a city's catalogue without it is left to the model. */
export const DANGER_TYPES: Readonly<Record<string, string>> = {
  gas: 'utilities.gas', electric: 'utilities.power', elevator: 'housing.elevator', collapse: 'safety.dangerous_building', hazmat: 'safety.dangerous_building',
  fire: 'safety.disaster', explosion: 'safety.disaster', trapped: 'safety.disaster', water: 'safety.disaster', disaster: 'safety.disaster', stranded: 'safety.disaster',
  violence: 'safety.public_order', suicide: 'safety.public_order', missing_person: 'safety.public_order', help: 'safety.public_order',
  medical: 'health.medical_service', animal: 'safety.dogs_and_animals', traffic: 'traffic.vehicle_and_licence',
};

/** From this probability on an intent is taken as meant, whatever else goes on. */
export const SURE = 0.6;
export const THANKS = /^(?:谢谢|多谢|感谢|谢了|谢啦|好的|嗯+|ok|行|知道了)/iu;
export const digits = (text: string): string => text.replace(/\D/gu, '');
export const splitChip = (chip: string): readonly [string, string] => {
  const at = chip.indexOf(':');
  return at < 0 ? [chip, ''] : [chip.slice(0, at), chip.slice(at + 1)];
};
export const isCorrection = (text: string): boolean => /(?:不对|说错|写错|打错|搞错|弄错|更正|改成|改一下|应该是|不是.{1,12}[，,]?是|是.{1,12}不是)/u.test(text);

/** Matters that the law sends another way, or in which a wrong word does harm: a person decides. Never automatic for 举报. */
export function isSensitive(understanding: Understanding, catalogue: Catalogue): boolean {
  const { disposition, nature, candidates } = understanding;
  if (nature?.value === 'misconduct_report' && candidates.some((each) => each.probability >= 0.1 && catalogue.types[each.value]?.transferOnly === true)) return true;
  return isProposed(disposition.value, disposition.probability);
}

/** 「12号楼1单元」: 12 and 1; another house is not the same matter for containing the same digit. */
const numbersOf = (text: string): readonly string[] => text.normalize('NFKC').match(/\d+/gu) ?? [];

/** The same resident's open ticket that this message most likely speaks of again. */
export function sameMatter(tickets: readonly Ticket[], understanding: Understanding): Ticket | undefined {
  if (understanding.type === null || (understanding.candidates[0]?.probability ?? 0) < 0.4) return undefined;
  const said = addressOf(understanding.address);
  return tickets.find((ticket) => {
    if (!isOpen(ticket.state.status) || ticket.type !== understanding.type) return false;
    if (said.text === '') return true;
    const community = ticket.address.place?.community ?? null;
    const samePlace = community !== null && said.place?.community === community;
    const building = numbersOf(said.building);
    return building.every((number) => numbersOf(ticket.address.text).includes(number)) && (samePlace || ticket.address.text.includes(said.publicText) || said.publicText.includes(ticket.address.text));
  });
}

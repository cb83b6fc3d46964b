import { objectOf, textOf, type JsonObject } from '../json.ts';

/** Stripped for everyone since 2023-05-04: given or not, nobody sees them. */
const STRIPPED = new Set(['first', 'remark']);
const EMOJI = /[\p{Extended_Pictographic}\u200d\ufe0f\u20e3]/gu;

export interface FieldRule {
  /** Most characters (code points) of one field. */
  readonly characters: number;
  /** Cut and clean what offends instead of refusing it. */
  readonly cut: boolean;
}

export interface FieldsRead {
  /** What the person sees, by field, in the template's order. */
  readonly shown: Readonly<Record<string, string>>;
  /** What is wrong; absent if nothing is, or if it was cut. */
  readonly offence?: string;
}

const fieldNames = (content: string): readonly string[] => [...content.matchAll(/\{\{(\w+)\.DATA\}\}/g)].map((found) => found[1] ?? '').filter((name) => !STRIPPED.has(name));

function offenceOf(name: string, value: string, characters: number): string | undefined {
  if (value === '') return `data.${name}.value is empty`;
  if (value.includes('\n') || value.includes('\r')) return `data.${name}.value has a newline`;
  if (value.search(EMOJI) >= 0) return `data.${name}.value has an emoji`;
  return [...value].length > characters ? `data.${name}.value is longer than ${characters}` : undefined;
}

const clean = (value: string, characters: number): string => [...value.replace(/[\r\n]+/g, ' ').replace(EMOJI, '')].slice(0, characters).join('');

/** Reads `{ name: { value } }` for a template; fields it does not name are ignored. */
export function readFields(content: string, data: JsonObject, rule: FieldRule): FieldsRead {
  const values = fieldNames(content).map((name) => [name, textOf(objectOf(data, name), 'value')] as const);
  if (rule.cut) return { shown: Object.fromEntries(values.map(([name, value]) => [name, clean(value, rule.characters)])) };
  const offence = values.map(([name, value]) => offenceOf(name, value, rule.characters)).find((each) => each !== undefined);
  return { shown: Object.fromEntries(values), ...(offence === undefined ? {} : { offence }) };
}

import type { ComputedRef, InjectionKey } from 'vue';
import type { CardField, EditableField } from '../../domain/message.ts';
import type { MessageLine } from '../shared/chat-client.ts';
import { strings } from './strings.zh.ts';

export interface CardIndex {
  /** Newest line that shows this card: only that one can be changed. */
  readonly newest: ReadonlyMap<string, number>;
  readonly fields: ReadonlyMap<string, readonly CardField[]>;
}

export const CARDS: InjectionKey<ComputedRef<CardIndex>> = Symbol('cards');

export function indexCards(lines: readonly MessageLine[]): CardIndex {
  const newest = new Map<string, number>();
  const fields = new Map<string, readonly CardField[]>();
  for (const { body, seq } of lines) {
    if (body.kind !== 'understood' && body.kind !== 'ticket') continue;
    newest.set(body.card.target, seq);
    fields.set(body.card.target, body.card.fields);
  }
  return { newest, fields };
}

/** 「地点改为：12 号楼」: a choice is said by its name, not its code. */
export function describeEdit(index: CardIndex, edit: { readonly target: string; readonly field: EditableField; readonly value: string }): string {
  const choices = index.fields.get(edit.target)?.find((field) => field.field === edit.field)?.choices;
  return strings.edited(strings.fields[edit.field], choices?.find((choice) => choice.id === edit.value)?.label ?? edit.value);
}

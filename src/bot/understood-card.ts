import { typeName, type Catalogue } from '../domain/catalogue.ts';
import type { Draft } from '../domain/conversation.ts';
import type { UnderstoodCard } from '../domain/message.ts';
import { URGENCY_ZH } from '../domain/words.zh.ts';

/** The draft as the resident reads it, each field changeable. */
export function understoodCard(draft: Draft, catalogue: Catalogue): UnderstoodCard {
  const choices = [...new Set([...(draft.type === null ? [] : [draft.type]), ...draft.candidates.map((each) => each.value)])].slice(0, 6);
  return {
    target: draft.id,
    fields: [
      { field: 'type', label: '事项', value: draft.type === null ? '' : typeName(catalogue, draft.type), editable: true, choices: choices.map((code) => ({ id: code, label: typeName(catalogue, code) })) },
      { field: 'address', label: '地点', value: draft.address.text || draft.address.label, editable: true },
      { field: 'description', label: '情况', value: draft.words.join('\n'), editable: true },
      { field: 'urgency', label: '时限', value: URGENCY_ZH[draft.urgency], editable: false },
    ],
  };
}

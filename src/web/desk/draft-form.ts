import type { Draft } from '../../domain/conversation.ts';
import type { Nature, Place, Urgency } from '../../domain/understanding.ts';

export const URGENCY_ORDER = ['h2', 'h24', 'd7', 'd15'] as const satisfies readonly Urgency[];
export const NATURE_ORDER = ['inquiry', 'assistance', 'complaint', 'misconduct_report', 'suggestion', 'praise'] as const satisfies readonly Nature[];

/** What an operator fills in, before it is sent as a change. */
export interface Form {
  type: string | null;
  urgency: Urgency;
  nature: Nature;
  place: Place | null;
  label: string;
  addressText: string;
  description: string;
}

export function formOf(draft: Draft): Form {
  const { type, urgency, nature, address, words } = draft;
  return { type, urgency, nature, place: address.place, label: address.label, addressText: address.text, description: words.join('\n') };
}

/**
 * The form after the resident said more and the draft moved on beneath it: what the operator wrote stays, the rest follows.
 *
 * @param was the form as the draft stood when `form` was last in step with it
 */
export function followed(form: Form, was: Form, now: Form): Form {
  const own = <K extends keyof Form>(...keys: readonly K[]): boolean => keys.some((key) => JSON.stringify(form[key]) !== JSON.stringify(was[key]));
  const where = own('place', 'label', 'addressText') ? form : now;
  return {
    type: own('type') ? form.type : now.type, urgency: own('urgency') ? form.urgency : now.urgency, nature: own('nature') ? form.nature : now.nature,
    place: where.place, label: where.label, addressText: where.addressText, description: own('description') ? form.description : now.description,
  };
}

/** Only what differs from the draft: the rest stays the machine's. */
export function changesOf(draft: Draft, form: Form): object {
  const was = formOf(draft);
  const moved = form.addressText.trim() !== was.addressText || form.label !== was.label;
  return {
    ...(form.type !== null && form.type !== was.type && { type: form.type }),
    ...(form.urgency !== was.urgency && { urgency: form.urgency }),
    ...(form.nature !== was.nature && { nature: form.nature }),
    ...(moved && { address: { text: form.addressText.trim(), building: draft.address.building, place: form.place, label: form.label } }),
  };
}

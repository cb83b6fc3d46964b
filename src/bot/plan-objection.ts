import { OBJECT_CHIP, SPECIAL_WAY_ZH } from '../domain/special-ways.zh.ts';
import type { Turn } from './turn.ts';

/** The chip, or its words where a channel has no chips; only while something was told that can be objected to. */
export function objects(turn: Turn): boolean {
  const { message: { content }, text } = turn.in;
  const { special } = turn.memory;
  if (special === null || special.objected) return false;
  return content.kind === 'tap' ? content.chip === OBJECT_CHIP.id : /^我?不同意[。！!~]*$/u.test(text);
}

/** Art. 11(3) decides nothing over a resident's head: a person looks again, at once, with what was told. */
export function object(turn: Turn): void {
  const { special, draft } = turn.memory;
  if (special === null) return;
  turn.commands.push({ do: 'object', special });
  turn.remember({ special: { ...special, objected: true } });
  turn.handOver('objection', draft?.urgency ?? 'd7', `居民不同意「${SPECIAL_WAY_ZH[special.outcome].name}」的答复，请重新判断。`);
}

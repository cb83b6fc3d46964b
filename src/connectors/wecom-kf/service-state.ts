import type { Conversation, Mode } from '../../domain/conversation.ts';

/** 0 not dealt with · 1 assistant · 2 waiting for a servicer in WeCom · 3 with a servicer in WeCom · 4 over, until the resident writes again. */
export type ServiceState = 0 | 1 | 2 | 3 | 4;

/** Who has the floor. An operator at our own desk keeps state 1, the only one besides 0 in which we can send. */
export const MODE_OF_STATE: Readonly<Record<ServiceState, Mode>> = { 0: 'bot', 1: 'bot', 2: 'waiting', 3: 'operator', 4: 'bot' };

/** `session_status_change`: 1 taken from the pool · 2 passed on · 3 ended · 4 taken up again. */
export const stateAfterChange = (changeType: number | undefined): ServiceState | null => (changeType === 1 || changeType === 2 || changeType === 4 ? 3 : changeType === 3 ? 4 : null);

/** Held by a servicer inside WeCom: `operator`, and nobody of our desk. */
export const isHeldInWecom = ({ mode, operatorId }: Pick<Conversation, 'mode' | 'operatorId'>): boolean => mode === 'operator' && operatorId === null;

/** The conversation after WeCom changed its state; null: nothing for us to change. What an operator of ours holds stays theirs. */
export function afterState(conversation: Conversation, state: ServiceState, note: string): Conversation | null {
  const mode = MODE_OF_STATE[state];
  if (mode === 'operator' && conversation.mode !== 'operator') {
    return { ...conversation, mode, operatorId: null, handoff: conversation.handoff ?? { reason: 'asked_for_human', note, urgency: 'd7' }, waitingSince: null, waitingUntil: null, escalation: 0 };
  }
  if (mode === 'bot' && isHeldInWecom(conversation)) return { ...conversation, mode, handoff: null, waitingSince: null, waitingUntil: null, escalation: 0 };
  return null;
}

/** `msg_send_fail`: why what was taken never arrived. */
const FAIL_TYPES: Readonly<Record<number, string>> = { 1: 'account_deleted', 2: 'app_off', 4: 'over_48_hours', 5: 'session_closed', 6: 'over_5_messages', 10: 'user_refused' };
export const failCode = (failType: number | undefined): string => `kf.${FAIL_TYPES[failType ?? 0] ?? `fail_${failType ?? 0}`}`;

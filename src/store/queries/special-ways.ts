import type { ConversationId, ResidentId } from '../../domain/ids.ts';
import type { Queries } from '../../domain/ports.ts';
import type { SpecialWayEntry } from '../../domain/special-ways.ts';
import { toPlainText } from '../codec.ts';
import type { QueryContext } from './context.ts';

type SpecialWays = Pick<Queries, 'recordSpecialWay' | 'specialWays'>;

/** The audit of art. 11(3): rows are added and read, never changed. */
export function specialWayQueries({ db }: QueryContext): SpecialWays {
  return {
    async recordSpecialWay(entry) {
      await db.insertInto('special_ways').values({
        kind: entry.kind, telling_id: toPlainText(entry.tellingId), at: entry.at, conversation_id: entry.conversationId, resident_id: entry.residentId,
        outcome: entry.outcome, type: entry.type === null ? null : toPlainText(entry.type), probability: entry.probability === null ? null : String(entry.probability),
        made_by: entry.by, decision: entry.decision,
      }).execute();
    },
    async specialWays(conversationId) {
      const rows = await db.selectFrom('special_ways').selectAll().where('conversation_id', '=', conversationId).orderBy('id').execute();
      return rows.map((row): SpecialWayEntry => ({
        kind: row.kind, tellingId: row.telling_id, at: row.at, conversationId: row.conversation_id as ConversationId, residentId: row.resident_id as ResidentId,
        outcome: row.outcome as SpecialWayEntry['outcome'], type: row.type, probability: row.probability === null ? null : Number(row.probability),
        by: row.made_by as SpecialWayEntry['by'], decision: row.decision as SpecialWayEntry['decision'],
      }));
    },
  };
}

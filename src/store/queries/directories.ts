import type { StoredDirectory } from '../../domain/directory-version.ts';
import type { Queries } from '../../domain/ports.ts';
import type { UnitId } from '../../domain/ids.ts';
import type { Ticket } from '../../domain/ticket.ts';
import { fromJson, toJson } from '../codec.ts';
import type { QueryContext } from './context.ts';

type Directories = Pick<Queries, 'directories' | 'saveDirectory' | 'routedTickets'>;

/** A city writes a few versions a year. */
const MOST_VERSIONS = 500;

export function directoryQueries({ db }: QueryContext): Directories {
  return {
    async directories() {
      const rows = await db.selectFrom('directories').selectAll().orderBy('valid_from', 'desc').limit(MOST_VERSIONS).execute();
      return rows.map((row): StoredDirectory => ({ version: fromJson<string>(row.version, 'version'), validFrom: row.valid_from, state: row.state, by: fromJson<string>(row.by, 'name'), at: row.at, text: fromJson<string>(row.text, 'directory') }));
    },
    async saveDirectory({ version, validFrom, state, by, at, text }) {
      const row = { version: toJson(version), valid_from: validFrom, state, by: toJson(by), at, text: toJson(text) };
      await db.insertInto('directories').values(row).onConflict((c) => c.column('version').doUpdateSet(row)).execute();
    },
    async routedTickets(limit) {
      const rows = await db.selectFrom('tickets').select(['number', 'status', 'type', 'description', 'address', 'opened_at', 'unit_id'])
        .where((eb) => eb.or([eb('unit_id', 'is not', null), eb('status', '=', 'unrouted')])).orderBy('number', 'desc').limit(limit).execute();
      return rows.map((row) => {
        const address = fromJson<Ticket['address']>(row.address, 'ticket address');
        return {
          number: row.number, unitId: row.status === 'unrouted' ? null : (row.unit_id as UnitId | null),
          matter: { type: row.type, place: address.place, text: `${fromJson<string>(row.description, 'ticket description')}\n${address.text}`, at: row.opened_at },
        };
      });
    },
  };
}

/** `npm run walk -- TICKET`: one ticket's whole way (走流程), every hop with who, when, why and by which rule. Only reads, also beside a running Jiban. */
import { parseArgs } from 'node:util';
import { loadCity } from '../app.ts';
import type { TicketId } from '../domain/ids.ts';
import type { Naming } from '../domain/ticket-card.ts';
import { verifyChain } from '../tickets/history-chain.ts';
import { openToolStore, readToolConfig, runTool, UsageError } from './open-tool.ts';
import { verdictZh, walkLines } from './walk-lines.zh.ts';

const USAGE = `Usage: npm run -s walk -- TICKET [--sealed]

TICKET is a number (with or without the hyphen) or an id. Prints every step and whether the history still holds; exit status 1 if not.

  --sealed   also what is sealed under the resident's key: their words, notes and answers
`;

async function main(): Promise<number> {
  const { values, positionals: [name, more] } = parse();
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (name === undefined || more !== undefined) throw new UsageError(USAGE);
  const config = readToolConfig();
  const city = loadCity(config);
  const naming: Naming = { catalogue: city.catalogue, unitName: (id) => city.units.get(id)?.name ?? id, utcOffsetMinutes: config.UTC_OFFSET_MINUTES };
  const store = await openToolStore(config, { readonly: true });
  try {
    const ticket = await store.ticketByNumber(name.replaceAll('-', '')) ?? await store.ticket(name as TicketId);
    const chain = ticket && await store.chain(ticket.id);
    if (!ticket || !chain) throw new UsageError(`there is no ticket ${name}\n`);
    const verdict = verifyChain(chain.links, chain.expected);
    const lines = walkLines(ticket, await store.history(ticket.id), naming, values.sealed);
    process.stdout.write(`${lines.join('\n')}\n${verdictZh(verdict.ok, verdict.ok ? '' : `${verdict.seq} ${verdict.why}`)}\n`);
    return verdict.ok ? 0 : 1;
  } finally {
    await store.close();
  }
}

function parse() {
  try {
    return parseArgs({ allowPositionals: true, options: { sealed: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } } });
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  }
}

runTool(main);

/** 「261123-0042」, 「工单3321」, 「编号 20261123001」: as written, without the word before it. */
const TICKET = /(?<![\d.])\d{6}-\d{3,6}(?!\d)|(?<=(?:工单号?|单号|编号|受理号|诉求号)(?:是|为|：|:|\s){0,3})[A-Za-z]{0,4}-?\d[\d-]{2,20}|(?<![\d.])20\d{2}(?:0[1-9]|1[0-2])\d{2}-?\d{3,10}(?!\d)/iu;

export function findTicketNumber(given: string): string | null {
  return TICKET.exec(given.slice(0, 20_000))?.[0] ?? null;
}

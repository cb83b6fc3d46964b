// Milliseconds for one text, tokenizer and model together, one thread. Usage: node latency.mjs <encoder folder>
import { resolve } from 'node:path';
import { AutoModel, AutoTokenizer, env } from '@xenova/transformers';

env.allowRemoteModels = false;
const folder = resolve(process.argv[2]);
const tokenizer = await AutoTokenizer.from_pretrained(folder, { local_files_only: true });
const model = await AutoModel.from_pretrained(folder, {
  dtype: 'q8', local_files_only: true, session_options: { intraOpNumThreads: 1, interOpNumThreads: 1 },
});
const probe = '12号楼3单元abc 停水了!😀';
const { input_ids } = await tokenizer(probe);
if (input_ids.dims[1] !== [...probe].length + 2) throw new Error('the tokenizer does not give one token per character');
const words = '西城区某某小区十二号楼三单元从昨天晚上开始就没有水了老人孩子都等着用请赶紧派人来看看吧谢谢';
const out = [];
for (const chars of [10, 20, 40, 80, 120]) {
  const text = words.repeat(3).slice(0, chars);
  const times = [];
  for (let i = 0; i < 220; i += 1) {
    const start = performance.now();
    await model(await tokenizer(text));
    if (i >= 20) times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  out.push({ chars, p50: Number(times[100].toFixed(2)), p95: Number(times[190].toFixed(2)) });
}
console.log(JSON.stringify(out));

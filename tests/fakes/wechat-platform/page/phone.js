// The phone and the desk beside it. Everything shown is text, never markup; everything known comes from /sim/state.
const REFRESH_MS = 600;
const TEN_MINUTES_MS = 600_000;

const VIA = { passive: '被动回复', custom: '客服消息', template: '模板消息', subscription: '订阅通知', kf: '客服消息', kf_event: '事件响应消息', servicer: '企业微信坐席' };
const STATES = ['未处理', '智能助手接待', '待接入池', '人工接待', '已结束'];
const OUTCOMES = { answered: '已应答', not_200: '状态码不是 200', timeout: '5 秒无应答', no_connection: '连不上', callback_lost: '请求丢失', answer_lost: '应答丢失' };
const REPLIES = { nothing: '无回复', message: '被动回复', transfer: '转客服', wrong: '回复有误', unanswered: '三次都失败' };
const KINDS = { image: '图片', voice: '语音', video: '视频', file: '文件' };
const FAULTS = {
  callbackLost: '回调请求丢失', answerLost: '回调应答丢失（平台会重试）', callbackTwice: '同一回调送两遍', callbackLate: '回调迟到（乱序）', callLost: '接口请求丢失',
  callAnswerLost: '接口应答丢失（其实已执行）', busy: '接口返回 -1 系统繁忙', emptyPage: 'sync_msg 空页但 has_more=1', templateFails: '模板消息发送失败',
};

const at = (id) => document.getElementById(id);
const state = { person: '', channel: 'official', last: '', view: undefined, open: new Set(), atEnd: true };
const drawn = new Map();

function make(tag, props = {}, ...children) {
  const { dataset, ...rest } = props;
  const node = Object.assign(document.createElement(tag), rest);
  Object.assign(node.dataset, dataset);
  node.append(...children.filter((child) => child !== undefined && child !== ''));
  return node;
}

/** Draws again only what changed: pictures don't flicker and open lists stay open. */
function drawOnce(name, from, draw) {
  const text = JSON.stringify(from);
  if (drawn.get(name) === text) return;
  drawn.set(name, text);
  draw();
}

const two = (n) => String(n).padStart(2, '0');
const china = (ms) => new Date(ms + 8 * 3_600_000);
const clockOf = (ms) => { const t = china(ms); return `${two(t.getUTCHours())}:${two(t.getUTCMinutes())}:${two(t.getUTCSeconds())}`; };
const dateOf = (ms) => { const t = china(ms); return `${t.getUTCMonth() + 1}月${t.getUTCDate()}日 ${clockOf(ms).slice(0, 5)}`; };

function toast(text) {
  at('toast').textContent = text;
  at('toast').hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { at('toast').hidden = true; }, 4000);
}

async function post(path, body, headers = { 'content-type': 'application/json' }) {
  const answer = await fetch(path, { method: 'POST', headers: { ...headers, 'x-wechat-sim': '1' }, body }).catch(() => undefined);
  const said = answer === undefined ? { error: '模拟器没有应答' } : await answer.json();
  if (said.error) toast(said.error);
  await refresh();
  return said;
}
const act = (name, given = {}) => post(`/sim/do?person=${encodeURIComponent(state.person)}`, JSON.stringify({ act: name, ...given }));

// ---- the phone ----

function bubbleContent(seen) {
  const { content } = seen;
  switch (content.kind) {
    case 'text': return [content.text];
    case 'image': return [make('img', { src: `/mmbiz/${content.mediaId}`, alt: '图片', onload: keepAtEnd })];
    case 'voice': return ['语音消息'];
    case 'video': case 'file': return [`${KINDS[content.kind]}消息`];
    case 'location': return [make('span', { className: 'card' }, content.label || '位置', make('span', { className: 'via' }, `${content.latitude}，${content.longitude}`))];
    case 'link': return [make('span', { className: 'card' }, content.title, make('span', { className: 'via' }, content.description || content.url))];
    case 'template': return [make('span', { className: 'card' }, ...Object.entries(content.fields).flatMap(([name, value]) => [make('b', {}, name), `${value}\n`]), make('span', { className: 'via' }, content.templateId))];
    case 'menu': return menuContent(content);
    default: return [`（${content.msgType}）`];
  }
}

function menuContent({ head, items, tail }) {
  const buttons = items.map((item) => make('button', { type: 'button', dataset: item.url ? {} : { tap: item.id }, disabled: !item.url && item.id === '', title: item.url ?? '' }, item.label));
  return [head, make('span', { className: 'choices' }, ...buttons), tail];
}

function deliveryState(seen) {
  const delivery = seen.via === 'self' && seen.id !== '' ? state.view.deliveries.find(({ id }) => id === seen.id) : undefined;
  if (delivery === undefined) return '';
  const failed = delivery.reply === 'unanswered';
  if (!delivery.over) return make('span', { className: 'state' }, delivery.tries.length === 0 ? '发送中…' : `第 ${delivery.tries.length + 1} 次…`);
  if (failed || delivery.reply === 'wrong') return make('span', { className: 'state bad', title: delivery.why || '三次都没有应答' }, '！');
  return delivery.tries.length > 1 ? make('span', { className: 'state' }, `${delivery.tries.length} 次`) : '';
}

function line(seen) {
  if (seen.content.kind === 'notice') return make('p', { className: seen.via === 'notice' ? 'notice bad' : 'notice' }, seen.content.text);
  const side = seen.via === 'self' ? 'self' : seen.via === 'servicer' ? 'servicer' : 'account';
  const via = seen.via === 'self' ? '' : make('span', { className: 'via' }, VIA[seen.via] ?? seen.via);
  return make('div', { className: `line ${side}` }, make('div', { className: 'bubble' }, ...bubbleContent(seen), via), deliveryState(seen));
}

/** The newest line stays in sight, unless the developer scrolled up to read. */
function keepAtEnd() {
  if (state.atEnd) at('screen').scrollTop = at('screen').scrollHeight;
}

function drawScreen() {
  const screen = at('screen');
  const lines = state.view.person.screen.filter(({ channel }) => channel === state.channel);
  let before = -Infinity;
  const nodes = lines.flatMap((seen) => {
    const stamp = seen.at - before > TEN_MINUTES_MS ? [make('time', { className: 'when' }, dateOf(seen.at))] : [];
    before = seen.at;
    return [...stamp, line(seen)];
  });
  screen.replaceChildren(...(nodes.length > 0 ? nodes : [make('p', { className: 'empty' }, '这里还什么都没有')]));
  keepAtEnd();
}

function budgetText({ left, until }, now) {
  if (until <= now) return '窗口已关';
  const minutes = Math.ceil((until - now) / 60_000);
  return `还可发 ${left} 条，窗口剩 ${minutes >= 120 ? `${Math.floor(minutes / 60)} 小时` : `${minutes} 分钟`}`;
}

function drawFrame() {
  const { official, kf, now, person } = state.view;
  const onOfficial = state.channel === 'official';
  for (const tab of document.querySelectorAll('[data-channel]')) tab.setAttribute('aria-selected', String(tab.dataset.channel === state.channel));
  at('standing').textContent = onOfficial
    ? `${official.following ? '已关注' : '未关注'} · ${budgetText(official, now)}`
    : `${STATES[kf.state]}${kf.servicer ? `（${kf.servicer}）` : ''} · ${budgetText(kf, now)}${kf.refuses ? ' · 已拒收' : ''}`;
  const closed = onOfficial && !official.following;
  at('gate').hidden = !closed;
  at('composer').hidden = closed;
  at('menu').hidden = closed || !onOfficial;
  if (closed) at('tray').hidden = true;
  if (closed && at('gate').childElementCount === 0) at('gate').append(make('button', { type: 'button', className: 'send', onclick: () => act('official.follow') }, '关注公众号'));
  drawOnce('people', [state.view.people, person.id], () => at('person').replaceChildren(...state.view.people.map(({ id, name }) => make('option', { value: id, selected: id === person.id }, name))));
}

// ---- the desk ----

const chip = (text, tone = '') => make('span', { className: `chip ${tone}` }, text);

function callbackRecord(delivery) {
  const tries = delivery.tries.map((each) => chip(`${each.copy ? '另一份' : `第 ${each.number} 次`} ${OUTCOMES[each.outcome]}${each.status && each.status !== 200 ? ` ${each.status}` : ''} ${each.tookMs} ms`, each.outcome === 'answered' ? 'good' : 'bad'));
  const reply = delivery.reply === undefined ? '' : chip(REPLIES[delivery.reply], delivery.reply === 'wrong' || delivery.reply === 'unanswered' ? 'bad' : delivery.reply === 'message' ? 'good' : '');
  const first = delivery.tries[0];
  const bodies = delivery.tries.filter(({ body }) => body).map((each) => make('pre', {}, each.body));
  return fold(`callback ${delivery.id}`, [
    make('span', { className: 'at' }, first ? clockOf(first.at) : '—'), make('strong', {}, delivery.channel === 'kf' ? '客服' : '公众号'), make('code', {}, delivery.label), ...tries, delivery.over ? '' : chip('进行中…', 'wait'), reply,
  ], [delivery.why ? make('p', { className: 'hint' }, delivery.why) : '', ...bodies]);
}

function callRecord(call) {
  const failed = call.errcode !== 0 || call.status !== 200;
  const lost = call.lost === undefined ? '' : chip(call.lost === 'call' ? '请求丢失' : '应答丢失', 'bad');
  const shown = [call.body, Object.keys(call.query).length > 0 ? call.query : undefined].filter((each) => each !== undefined);
  return fold(`call ${call.number}`, [
    make('span', { className: 'at' }, clockOf(call.at)), make('code', {}, call.path), chip(failed ? `${call.errcode} ${call.errmsg}` : '0 ok', failed ? 'bad' : 'good'), lost,
  ], shown.map((each) => make('pre', {}, JSON.stringify(each, null, 1))));
}

function fold(key, head, body) {
  const inside = body.filter((each) => each !== '');
  if (inside.length === 0) return make('div', { className: 'record' }, make('div', { className: 'head' }, ...head));
  const details = make('details', { className: 'record', open: state.open.has(key) }, make('summary', {}, ...head), ...inside);
  details.addEventListener('toggle', () => (details.open ? state.open.add(key) : state.open.delete(key)));
  return details;
}

function drawCallbacks() {
  const { deliveries } = state.view;
  if (deliveries.length > 0) at('callbacks').replaceChildren(...deliveries.map(callbackRecord).reverse());
}

function drawCalls() {
  const { calls } = state.view;
  if (calls.length > 0) at('calls').replaceChildren(...calls.map((call) => callRecord(call)).reverse());
}

const PLACE = [['latitude', '纬度', '39.8563', 'number'], ['longitude', '经度', '116.3705', 'number'], ['label', '地名', '北京市丰台区西罗园街道']];
const LINK = [['title', '标题', '小区停水通知'], ['description', '说明', ''], ['url', '网址', 'https://example.org/']];

/** [label, gesture, what to ask for]; `when` says where it makes sense. */
const GESTURES = {
  公众号: [
    ['扫带参数二维码', 'official.scan', [['scene', '场景值', 'lobby-7']]], ['点自定义菜单', 'official.click', [['key', 'EventKey', 'REPORT']]], ['打开菜单网页', 'official.view', [['url', '网址', 'https://example.org/']]],
    ['菜单选位置', 'official.selectLocation', [['key', 'EventKey', 'WHERE'], ...PLACE]], ['上报位置', 'official.reportLocation', PLACE], ['取消关注', 'official.unfollow'],
  ],
  微信客服: [
    ['进入会话', 'kf.enter'], ['再来一次回调', 'kf.ringAgain'], ['拒收消息', 'kf.refuse'],
    ['坐席接入（2→3）', 'kf.servicerTakes'], ['坐席回复', 'kf.servicerSays', [['text', '内容', '您好，我来处理']]], ['坐席结束（3→4）', 'kf.servicerEnds'],
  ],
};

function drawGestures() {
  const sets = Object.entries(GESTURES).map(([title, list]) => make('fieldset', {}, make('legend', {}, title),
    make('p', { className: 'buttons' }, ...list.map(([label, name, fields]) => make('button', { type: 'button', onclick: () => gesture(label, name, fields) }, label)))));
  at('gestures').replaceChildren(...sets, make('fieldset', {}, make('legend', {}, '订阅通知与模板消息'), make('div', { id: 'subscriptions' })));
}

function drawSubscriptions() {
  const { subscriptions, blocksTemplates } = state.view.official;
  at('subscriptions').replaceChildren(
    ...subscriptions.map(({ id, term, consents }) => make('p', { className: 'buttons' }, make('code', {}, id), chip(term === 'long' ? '长期' : '一次性'), chip(consents < 0 ? '已长期同意' : `可发 ${consents} 次`, consents === 0 ? '' : 'good'),
      make('button', { type: 'button', onclick: () => act('official.subscribe', { templateId: id, accept: true }) }, '同意'), make('button', { type: 'button', onclick: () => act('official.subscribe', { templateId: id, accept: false }) }, '拒绝'))),
    make('p', { className: 'buttons' }, make('button', { type: 'button', onclick: () => act('official.blockTemplates', { on: !blocksTemplates }) }, blocksTemplates ? '重新接收模板消息' : '屏蔽模板消息')),
  );
}

function drawFaults() {
  const rows = Object.entries(FAULTS).map(([name, label]) => {
    const shown = make('output', {}, '0%');
    const range = make('input', { type: 'range', min: 0, max: 100, step: 5, value: 0, ariaLabel: label, dataset: { fault: name }, oninput: () => { shown.textContent = `${range.value}%`; }, onchange: () => act('fault.rate', { fault: name, rate: Number(range.value) / 100 }) });
    return make('div', { className: 'fault' }, make('span', {}, label), range, shown, make('button', { type: 'button', onclick: () => act('fault.force', { fault: name }).then((said) => said.ok && toast('下一次就会发生')) }, '下一次'));
  });
  at('faults').replaceChildren(make('p', { className: 'hint' }, '拖动设概率，或点「下一次」只发生一次。同一个 --seed，同样的故障日程。'), ...rows, make('fieldset', {}, make('legend', {}, 'access_token'),
    make('p', { className: 'buttons' }, make('button', { type: 'button', onclick: () => act('tokens.expire') }, '全部过期（42001）'), make('button', { type: 'button', onclick: () => act('tokens.revoke') }, '全部作废（40001 / 40014）'))));
}

// ---- asking ----

/** Shows a form; resolves with its values, or undefined if the developer thinks better of it. */
function ask(title, fields) {
  const dialog = at('ask');
  at('ask-title').textContent = title;
  at('ask-fields').replaceChildren(...fields.map(([name, label, value, type = 'text']) => make('label', {}, label, make('input', { name, value, type, step: 'any', required: type === 'number' }))));
  dialog.returnValue = 'cancel';
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener('close', () => {
    const inputs = [...at('ask-fields').querySelectorAll('input')];
    resolve(dialog.returnValue === 'ok' ? Object.fromEntries(inputs.map(({ name, value, type }) => [name, type === 'number' ? Number(value) : value])) : undefined);
  }, { once: true }));
}

async function gesture(label, name, fields) {
  const given = fields === undefined ? {} : await ask(label, fields);
  if (given !== undefined) await act(name, given);
}

function pickFile(kind, accept) {
  const input = at('file');
  input.accept = accept;
  input.value = '';
  input.onchange = () => sendFile(kind, input.files[0]);
  input.click();
}

async function sendFile(kind, file) {
  if (file === undefined) return;
  const query = new URLSearchParams({ person: state.person, channel: state.channel, kind });
  await post(`/sim/file?${query}`, file, { 'content-type': file.type || 'application/octet-stream' });
}

const TRAY = {
  picture: () => pickFile('image', 'image/*'),
  voice: async () => {
    if (state.channel === 'kf') return act('kf.voice');
    const given = await ask('发一段语音（1 秒静音样本）', [['recognition', '识别结果（微信自 2023 年起多为空）', '']]);
    return given === undefined ? undefined : act('official.voice', given);
  },
  location: () => gesture('发送位置', `${state.channel}.location`, PLACE),
  video: () => act(`${state.channel}.video`),
  link: () => gesture('发送链接', `${state.channel}.link`, LINK),
};

// ---- wiring ----

async function refresh() {
  const answer = await fetch(`/sim/state?person=${encodeURIComponent(state.person)}`).catch(() => undefined);
  if (answer === undefined) return toast('模拟器没有应答，它还在运行吗？');
  const view = await answer.json();
  state.person = view.person.id;
  at('now').textContent = `${dateOf(view.now)}${clockOf(view.now).slice(5)}`;
  at('ahead').textContent = view.aheadMs > 0 ? `（拨快 ${Math.round(view.aheadMs / 360_000) / 10} 小时）` : '';
  const { now, ...rest } = view;
  const text = `${state.channel}${Math.floor(now / 60_000)}${JSON.stringify(rest)}`; // windows are shown in minutes
  if (text === state.last) return;
  state.last = text;
  state.view = view;
  const { deliveries, calls, person, official } = view;
  drawFrame();
  drawOnce('screen', [state.channel, person, deliveries.map(({ id, tries, over, reply }) => [id, tries.length, over, reply])], drawScreen);
  drawOnce('deliveries', deliveries, drawCallbacks);
  drawOnce('calls', calls, drawCalls);
  drawOnce('subscriptions', official, drawSubscriptions);
}

at('composer').addEventListener('submit', (event) => {
  event.preventDefault();
  const words = at('words').value;
  if (words.trim() === '') return;
  at('words').value = '';
  state.atEnd = true;
  void act(`${state.channel}.text`, { text: words });
});
at('more').addEventListener('click', () => {
  at('tray').hidden = !at('tray').hidden;
  at('more').setAttribute('aria-expanded', String(!at('tray').hidden));
  keepAtEnd();
});
at('tray').addEventListener('click', (event) => {
  const what = event.target.closest('[data-tray]')?.dataset.tray;
  if (what !== undefined) void TRAY[what]();
});
at('menu').addEventListener('click', (event) => {
  const { act: name, key } = event.target.dataset;
  if (name !== undefined) void act(name, { key });
});
at('screen').addEventListener('scroll', () => {
  const { scrollHeight, scrollTop, clientHeight } = at('screen');
  state.atEnd = scrollHeight - scrollTop - clientHeight < 40;
});
at('screen').addEventListener('click', (event) => {
  const button = event.target.closest('[data-tap]');
  if (button !== null) void act(`${state.channel}.tapMenu`, { id: button.dataset.tap });
});
for (const tab of document.querySelectorAll('[data-channel]')) {
  tab.addEventListener('click', () => {
    state.channel = tab.dataset.channel;
    state.atEnd = true;
    void refresh();
  });
}
for (const button of document.querySelectorAll('[data-hours]')) button.addEventListener('click', () => void act('clock.advance', { hours: Number(button.dataset.hours) }));
for (const tab of document.querySelectorAll('[data-pane]')) {
  tab.addEventListener('click', () => {
    for (const each of document.querySelectorAll('[data-pane]')) {
      each.setAttribute('aria-selected', String(each === tab));
      at(each.dataset.pane).hidden = each !== tab;
    }
  });
}
at('person').addEventListener('change', () => {
  state.person = at('person').value;
  void refresh();
});
at('add-person').addEventListener('click', async () => {
  const given = await ask('新用户', [['name', '称呼', '']]);
  const said = given === undefined ? {} : await post('/sim/person', JSON.stringify(given));
  if (said.id !== undefined) {
    state.person = said.id;
    await refresh();
  }
});
at('copy').addEventListener('click', () => navigator.clipboard.writeText(at('env').textContent).then(() => toast('已复制'), () => toast('浏览器不让复制，请手动选取')));
at('verify').addEventListener('click', async () => {
  const said = await post('/sim/verify', '{}');
  const word = ({ ok, why }) => (ok ? '通过' : `未通过：${why}`);
  if (said.official) at('verified').textContent = `公众号 ${word(said.official)}；微信客服 ${word(said.kf)}`;
});

drawGestures();
drawFaults();
await refresh();
at('env').textContent = (await (await fetch('/sim/settings')).json()).settings;
setInterval(() => void refresh(), REFRESH_MS);

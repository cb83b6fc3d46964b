const BUSY_TRIES = 40;
const BUSY_WAIT_MS = 500;

/** Asks again while the server refuses at the door because the machine is busy: nothing has happened then, so that is safe. */
export async function fetchPatiently(url: string, init: RequestInit): Promise<Response> {
  for (let tries = 0; ; tries += 1) {
    const response = await fetch(url, init);
    if (response.status !== 503 || tries >= BUSY_TRIES) return response;
    const refusal = await response.text();
    if (!refusal.includes('"http.busy"')) return new Response(refusal, { status: 503 });
    await new Promise((resolve) => setTimeout(resolve, BUSY_WAIT_MS));
  }
}

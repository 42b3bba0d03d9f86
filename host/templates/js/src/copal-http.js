// Requests over HTTP, as far as the owner granted them (`http`). Not for filters.
//
// Without `include http-client;` in wit/hook.wit, this file has to go too.
import { handle } from 'wasi:http/outgoing-handler@0.2.12';
import { Fields, OutgoingBody, OutgoingRequest } from 'wasi:http/types@0.2.12';
import { HookError } from './copal.js';

// The most that `blockingWriteAndFlush` takes at once, and what is asked for at once.
const WRITE = 4096;
const READ = 65536n;

/** Sends JSON. An answer that does not mean success is an error. */
export function post(url, value) {
  const headers = { 'content-type': 'application/json' };
  const response = send('POST', url, headers, JSON.stringify(value));
  if (response.status < 200 || response.status >= 300) {
    const text = response.text().trim().slice(0, 200);
    throw new HookError('failed', `${parse(url).origin} answered ${response.status}${text && `: ${text}`}`);
  }
  return response;
}

/** Sends a request and waits for the answer, whatever its status. Copal follows no redirect. */
export function send(method, url, headers = {}, body = '') {
  const target = parse(url);
  const about = `${method} ${target.origin}`;
  try {
    const response = receive(dispatch(method, target, headers, new TextEncoder().encode(body)));
    const status = response.status();
    const bytes = read(response.consume());
    return { status, bytes, text: () => new TextDecoder().decode(bytes) };
  } catch (error) {
    throw explained(error?.payload ?? error, about);
  }
}

/** The parts of a URL; its origin is what may be shown, since behind it there can be a secret. */
function parse(url) {
  let parts;
  try {
    parts = new URL(url);
  } catch {
    parts = {};
  }
  if (!['http:', 'https:'].includes(parts.protocol) || parts.username || parts.password) {
    throw new HookError('invalid', 'the URL is none of http or https, without a user in it');
  }
  return parts;
}

function dispatch(method, target, headers, body) {
  const bytes = new TextEncoder();
  const fields = Object.entries(headers).map(([name, value]) => [name, bytes.encode(value)]);
  const request = new OutgoingRequest(Fields.fromList(fields));
  request.setMethod(named(method));
  request.setScheme({ tag: target.protocol === 'https:' ? 'HTTPS' : 'HTTP' });
  request.setAuthority(target.host);
  request.setPathWithQuery(target.pathname + target.search);
  const outgoing = request.body();
  const future = handle(request, undefined);
  const stream = outgoing.write();
  let whole = true;
  try {
    for (let start = 0; start < body.length; start += WRITE) {
      stream.blockingWriteAndFlush(body.subarray(start, start + WRITE));
    }
  } catch {
    whole = false; // whoever does not want it says why in the answer
  }
  stream[Symbol.dispose]();
  if (whole) OutgoingBody.finish(outgoing, undefined);
  else outgoing[Symbol.dispose]();
  return future;
}

function named(method) {
  const known = ['get', 'head', 'post', 'put', 'delete', 'connect', 'options', 'trace', 'patch'];
  const tag = method.toLowerCase();
  return known.includes(tag) ? { tag } : { tag: 'other', val: method };
}

function receive(future) {
  const ready = future.subscribe();
  ready.block();
  ready[Symbol.dispose]();
  // It is there, so two results remain: that nobody took it before, and what came of the request.
  const answer = future.get().val;
  if (answer.tag === 'err') throw answer.val;
  return answer.val;
}

function read(incoming) {
  const stream = incoming.stream();
  const chunks = [];
  try {
    for (;;) chunks.push(stream.blockingRead(READ));
  } catch (error) {
    if ((error?.payload ?? error)?.tag !== 'closed') throw error;
  } finally {
    stream[Symbol.dispose]();
  }
  const bytes = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
  chunks.reduce((at, chunk) => (bytes.set(chunk, at), at + chunk.length), 0);
  return bytes;
}

/** The error of `wasi:http` as one of Copal's. */
function explained(error, about) {
  const what = error?.tag;
  if (what === 'HTTP-request-denied' || what === 'destination-IP-prohibited') {
    // Copal adds the line that would grant it.
    return new HookError('denied', { capability: 'http', requested: about, remedy: '' });
  }
  // Copal's own words, which begin with the origin.
  if (what === 'internal-error' && error.val) return new HookError('failed', error.val);
  return what ? new HookError('failed', `${about}: ${what}`) : error;
}

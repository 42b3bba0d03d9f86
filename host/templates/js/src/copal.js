// What every hook needs: its config, the unpacking of batches, errors that Copal understands and log
// lines. There is nothing of your hook in here.
import * as logging from 'copal:hooks/log@0.1.0';
import * as runInfo from 'copal:hooks/run-info@0.1.0';

/** A filter's word on one path. */
export const SKIP = 0; // leave it out; what is in a directory is still asked about
export const KEEP = 1; // take it
export const SKIP_SUBTREE = 2; // leave it out with everything in it
export const KEEP_SUBTREE = 3; // take it with everything in it, without asking about that

/** What `decide` is told a path is. */
export const FILE = 0;
export const DIRECTORY = 1;
export const SYMLINK = 2;
export const OTHER = 3;

/** An error that Copal shows as it is: `kind` is one of the cases of `error` in wit/types.wit. */
export class HookError extends Error {
  constructor(kind, value) {
    super(typeof value === 'string' ? value : kind);
    this.payload = { tag: kind, val: value };
  }
}

// The engine's own would trap without a word, since build.mjs leaves it out.
globalThis.fetch = () => {
  throw new HookError('failed', 'fetch is not there: use `post` or `send` of copal-http.js');
};

/** Writes one line for the operator; `fields` are named values behind it. */
export const log = Object.fromEntries(
  ['trace', 'debug', 'info', 'warn', 'error'].map((level) => [
    level,
    (message, fields = {}) =>
      logging.write(
        level,
        String(message),
        Object.entries(fields).map(([name, value]) => ({ name, value: String(value) })),
      ),
  ]),
);

/**
 * The hook's `config` table, checked: `known` has a default for every key, whose type is the type that
 * is wanted. `undefined` in its place is a text that has to be given.
 */
export function config(known) {
  const given = JSON.parse(runInfo.config());
  for (const [key, value] of Object.entries(given)) {
    if (!(key in known)) {
      const names = Object.keys(known).map((name) => `\`${name}\``).join(', ');
      throw new HookError('invalid', `config: there is no \`${key}\`, but ${names}`);
    }
    const wanted = kind(known[key] ?? '');
    if (kind(value) !== wanted) {
      throw new HookError('invalid', `config: \`${key}\` has to be ${wanted}`);
    }
  }
  return { ...known, ...given };
}

function kind(value) {
  if (!Array.isArray(value)) return { string: 'a text', number: 'a number', boolean: 'true or false' }[typeof value] ?? 'a table';
  return value.every((item) => typeof item === 'string') ? 'a list of texts' : 'a list';
}

/** The value of a key that has to be in the config. */
export function needed(config, key) {
  if (config[key] === undefined) throw new HookError('invalid', `config: \`${key}\` is missing`);
  return config[key];
}

/**
 * Makes a filter.
 *
 * - `start()` is called once and answers `{ rules, ask }`, both optional: filter rules of rclone, and
 *   the columns that `decide` wants to see, of `'kinds'`, `'sizes'` and `'mtimes'`. Without `ask` the
 *   rules alone decide.
 * - `decide(path, size, kind, mtime)` is called for every path, and answers one of the four verdicts. The
 *   path is a text, in which bytes that are not UTF-8 are replaced by U+FFFD. What was not asked
 *   for is undefined. `mtime` is in milliseconds, as `Date.now()` is.
 */
export function filter({ start, decide }) {
  return {
    start: guarded(() => {
      const { rules = [], ask } = start();
      const columns = ask && Object.fromEntries(ask.map((column) => [column, true]));
      return { rules, ask: columns };
    }),
    decide: guarded(({ count, paths, kinds, sizes, mtimes }) => {
      const texts = new TextDecoder().decode(paths).split('\0');
      const size = sizes.length ? unsigned(sizes) : undefined;
      const mtime = mtimes.length ? milliseconds(mtimes) : undefined;
      const verdicts = new Uint8Array(count);
      for (let row = 0; row < count; row++) {
        verdicts[row] = decide(texts[row], size?.(row), kinds[row], mtime?.(row));
      }
      return verdicts;
    }),
  };
}

/** Makes the export of any other phase of a function. */
export const phase = (run) => ({ run: guarded(run) });

/** A column of u64 by rows, as numbers: exact up to 8 PiB. */
function unsigned(bytes) {
  const halves = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  return (row) => halves[2 * row] + halves[2 * row + 1] * 0x1_0000_0000;
}

function milliseconds(bytes) {
  const times = new BigInt64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8);
  return (row) => Number(times[row] / 1_000_000n);
}

// An exception becomes an error with its text and its place, instead of a trap without.
function guarded(call) {
  const fail = (error) => {
    if (error?.payload !== undefined) throw error;
    const place = error?.stack ? `\n${error.stack.trim()}` : '';
    throw new HookError('failed', `${error}${place}`);
  };
  return (...values) => {
    try {
      const answer = call(...values);
      return answer instanceof Promise ? answer.catch(fail) : answer;
    } catch (error) {
      fail(error);
    }
  };
}

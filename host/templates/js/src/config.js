// This hook's `config` table in copal.toml: what may stand there, and what holds where nothing does.
import { config } from './copal.js';

export const readConfig = () =>
  config({
    suffixes: [],
    'max-size': Number.MAX_SAFE_INTEGER,
    url: undefined,
  });

// What this hook takes part in; wit/hook.wit says the same.
export { filter } from './filter.js';
export { postBackup } from './post-backup.js';

export * from './rows.js';
export * from './scenario.js';

export * from './clause-register.js';
export * from './iso-controls.js';
export * from './policy-apply.js';
export * from './policy-file.js';
export * from './policy-plan.js';

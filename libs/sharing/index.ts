export * from './agreement.events.js';
export {
  agreementInForce,
  agreementRegister,
  agreementsAsOf,
  type Agreement,
  type AgreementRegisterState,
} from './agreement.register.js';
export * from './disclosure.events.js';
export { disclosuresProjection } from './disclosure.projection.js';
export * from './instrument.events.js';
export {
  instrumentRegister,
  instrumentsAsOf,
  notInForce,
  type Instrument,
  type InstrumentRegisterState,
} from './instrument.register.js';
export * from './recipient.events.js';
export {
  membersAsOf,
  membershipOn,
  recipientRegister,
  type Membership,
  type Recipient,
  type RecipientRegisterState,
} from './recipient.register.js';
export { sharingCapability } from './sharing.capability.js';
export { sharingCodec, type SharingEvent } from './sharing.codec.js';
export { sharingRegistersProjection } from './sharing.projection.js';
export { whoHeldWhatProjection } from './who-held-what.projection.js';
export * from './who-held-what.query.js';

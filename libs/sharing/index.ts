export * from './agreement.events.js';
export * from './agreements-for-subject.query.js';
export * from './bulk-disclosure.events.js';
export { bulkDisclosuresProjection } from './bulk-disclosure.projection.js';
export {
  agreementInForce,
  endOf,
  agreementRegister,
  agreementsAsOf,
  termsOn,
  type Agreement,
  type AgreementRegisterState,
} from './agreement.register.js';
export * from './disclosure.events.js';
export { disclosuresProjection } from './disclosure.projection.js';
export { isDiscreet, secretInstruments, secretRecipients } from './discretion.js';
export * from './instrument.events.js';
export {
  instrumentRegister,
  instrumentsAsOf,
  notInForce,
  type Instrument,
  type InstrumentRegisterState,
} from './instrument.register.js';
export * from './notification.events.js';
export { recipientNotificationsProjection } from './notification.projection.js';
export * from './recipient.events.js';
export {
  membersAsOf,
  membershipOn,
  recipientRegister,
  type Membership,
  type Recipient,
  type RecipientRegisterState,
} from './recipient.register.js';
export * from './return-or-delete.events.js';
export { returnOrDeleteProjection } from './return-or-delete.projection.js';
export { sharingCapability } from './sharing.capability.js';
export { sharingCodec, type SharingEvent } from './sharing.codec.js';
export { sharingRegistersProjection } from './sharing.projection.js';
export { whoHeldWhatProjection } from './who-held-what.projection.js';
export * from './who-held-what.query.js';

import type { Instant, Register } from '#kernel';
import type { ControllerDescribed, ControllerDescription, ControllerEvent } from './data-controller.events.js';

/** A description with the time it took effect. */
export type DescribedController = ControllerDescribed['data'];

/** Descriptions by controller id, in rising order, each in force from its time until the next one's. */
export type ControllerRegisterState = ReadonlyMap<string, readonly DescribedController[]>;

/** Who decides, with the history of how that was described. */
export const controllerRegister: Register<ControllerEvent, ControllerRegisterState> = {
  name: 'controllers',
  streamPrefix: 'controller-',
  initialState: new Map(),
  folds: { ControllerDescribed: true },
  evolve(state, { data }) {
    return new Map(state).set(data.controllerId, [...(state.get(data.controllerId) ?? []), data]);
  },
};

/** The descriptions in force at a time, one for each controller. */
export function controllersAsOf(state: ControllerRegisterState, at: Instant): readonly DescribedController[] {
  return [...state.values()].flatMap((versions) => {
    const found = versions.findLast(({ effectiveFrom }) => effectiveFrom <= at);
    return found ? [found] : [];
  });
}

/** What a description says, without whom and since when it is about. */
export function descriptionOf(said: ControllerDescription): ControllerDescription {
  const { name, postalAddress, email, dataProtectionOfficer, authority, security } = said;
  return {
    name,
    postalAddress,
    email,
    ...(dataProtectionOfficer && {
      dataProtectionOfficer: { role: dataProtectionOfficer.role, email: dataProtectionOfficer.email },
    }),
    authority,
    security,
  };
}

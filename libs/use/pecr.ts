import { plusMilliseconds, refuse, type Instant, type Outcome } from '#kernel';

/** What was recorded of how an address was obtained (PECR reg 22(3)). */
export interface SoftOptIn {
  readonly obtainedInSale: boolean;
  readonly ownSimilarProducts: boolean;
  readonly refusalOfferedAtCollection: boolean;
  readonly refusalOfferedInEveryMessage: boolean;
}

/** What a preference service said of a number, and when. */
export interface Screening {
  readonly register: 'TPS' | 'CTPS';
  readonly listed: boolean;
  readonly at: Instant;
}

/** What the rules about electronic communications look at. */
export interface PecrCase {
  readonly purposeId: string;
  readonly channel: string;
  /** Whether live consent to this purpose over this channel is what the use rests on. */
  readonly consented: boolean;
  /** Unless it is known to be a company's, a subscription is an individual's: the stricter reading. */
  readonly subscriber: 'individual' | 'corporate';
  readonly itemIds: readonly string[];
  readonly softOptIns: Readonly<Record<string, SoftOptIn>>;
  readonly screenings: Readonly<Record<string, Screening>>;
  readonly now: Instant;
}

const DAY = 24 * 60 * 60 * 1000;
/** How long a screening is good: preference services are asked anew every 28 days. */
export const SCREENING_LIFE = 28 * DAY;

/**
 * Whether a message may go out over this channel (PECR regs 19 to 22), given that there is a basis for the use itself.
 *
 * E-mail and its like need the consent of an individual subscriber or all four facts of the soft opt-in; a company's
 * subscription needs neither. A live call needs a fresh screening that does not list the number, an automated one
 * consent. Post needs nothing more. A channel that is not known is taken for an e-mail.
 */
export function pecrGate(found: PecrCase): Outcome<never> | undefined {
  const { purposeId, channel, consented, subscriber } = found;
  if (consented || channel === 'post') return undefined;
  switch (channel) {
    case 'automated-call':
      return refuse('PECR_CONSENT_REQUIRED', { purposeId, channel });
    case 'phone':
      return liveCall(found);
    default:
      return subscriber === 'corporate' ? undefined : softOptIn(found);
  }
}

function softOptIn({ purposeId, channel, itemIds, softOptIns }: PecrCase): Outcome<never> | undefined {
  const unknown = itemIds.filter((itemId) => softOptIns[softOptInKey(itemId, purposeId)] === undefined);
  if (unknown.length > 0) return refuse('PECR_CONSENT_REQUIRED', { purposeId, channel });
  const missing = itemIds.flatMap((itemId) =>
    Object.entries(softOptIns[softOptInKey(itemId, purposeId)] ?? {}).flatMap(([fact, met]) => (met ? [] : [fact])),
  );
  return missing.length > 0
    ? refuse('SOFT_OPT_IN_NOT_MET', { purposeId, channel, missing: [...new Set(missing)].sort() })
    : undefined;
}

function liveCall({ purposeId, channel, subscriber, itemIds, screenings, now }: PecrCase): Outcome<never> | undefined {
  const register = subscriber === 'corporate' ? 'CTPS' : 'TPS';
  const fresh = (itemId: string): Screening | undefined => {
    const screening = screenings[screeningKey(itemId, register)];
    return screening && now < plusMilliseconds(screening.at, SCREENING_LIFE) ? screening : undefined;
  };
  const stale = itemIds.filter((itemId) => fresh(itemId) === undefined);
  if (stale.length > 0) return refuse('TPS_SCREEN_STALE', { purposeId, register, items: stale });
  return itemIds.some((itemId) => fresh(itemId)?.listed)
    ? refuse('PECR_CONSENT_REQUIRED', { purposeId, channel, register })
    : undefined;
}

export const softOptInKey = (itemId: string, purposeId: string): string => `${itemId}/${purposeId}`;
export const screeningKey = (itemId: string, register: Screening['register']): string => `${itemId}/${register}`;

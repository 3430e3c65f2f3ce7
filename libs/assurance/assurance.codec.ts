import type { EventCodec } from '#event-log';
import type { AssuranceEvent } from './assurance.events.js';

/** Organisations and their papers: nothing here is personal. */
export const assuranceCodec: EventCodec<AssuranceEvent> = {
  capability: 'assurance',
  events: {
    RegistrationRecorded: { stored: 'registration-recorded.v1' },
    RegistrationExpiring: { stored: 'registration-expiring.v1' },
    RegistrationExpired: { stored: 'registration-expired.v1' },
    CertificateRecorded: { stored: 'certificate-recorded.v1' },
    CertificateWithdrawn: { stored: 'certificate-withdrawn.v1' },
    CertificateExpiring: { stored: 'certificate-expiring.v1' },
    CertificateExpired: { stored: 'certificate-expired.v1' },
    IndependentTestRecorded: { stored: 'independent-test-recorded.v1' },
    IndependentTestStale: { stored: 'independent-test-stale.v1' },
    RestoreTested: { stored: 'restore-tested.v1' },
    RestoreTestStale: { stored: 'restore-test-stale.v1' },
    FindingRaised: { stored: 'finding-raised.v1' },
    FindingClosed: { stored: 'finding-closed.v1' },
  },
};

import { subjectStream } from '#kernel';
import { purposeRegister } from '#purpose';
import { capability, slice, view, type Role } from '#slice';
import { ApproveErasureRun } from './erasure-run.commands.js';
import { erasureRunDecider, erasureRunStream } from './erasure-run.decider.js';
import { digestOfRun } from './erasure-run.digest.js';
import { erasureRunsProjection } from './erasure-run.projection.js';
import { ErasureController } from './erasure.controller.js';
import { keysBeyondUse, keysNotErased, knownKeys, mayBeKept } from './erasure.decider.js';
import { erasureLedgerProjection } from './erasure.projection.js';
import {
  ApproveLegalHold,
  LapseLegalHold,
  LiftLegalHold,
  PlaceLegalHold,
  RaiseHoldReview,
  ReviewLegalHold,
} from './legal-hold.commands.js';
import { holdStream, legalHoldDecider } from './legal-hold.decider.js';
import { legalHoldsProjection } from './legal-hold.projection.js';
import { legalHoldRegister } from './legal-hold.register.js';
import { retentionCodec } from './retention.codec.js';
import {
  CloseDeferral,
  CloseRelationship,
  CloseServiceRequest,
  ConfirmErasure,
  ConfirmReportedValuesErased,
  DecideRetentionReview,
  EndAccountingPeriod,
  EndConsentedPurpose,
  EndPurposeForItem,
  EraseData,
  ExpireRetention,
  ExtendRetention,
  FinaliseErasure,
  HoldForPurpose,
  OpenDeferral,
  RestateErasure,
} from './retention.commands.js';
import { RetentionController } from './retention.controller.js';
import { retentionDecider } from './retention.decider.js';
import {
  consentedPurposePolicy,
  erasureFinalityPolicy,
  erasurePolicy,
  holdLapsePolicy,
  holdReviewPolicy,
  reportedValuesPolicy,
  retentionExpiryPolicy,
} from './retention.policy.js';
import { retentionScheduleProjection } from './retention.projection.js';

/** Who was given data, and what lawyers prepare, is not for those who answer the person (I-22c). */
const DISCREET: readonly Role[] = ['privacyOfficer', 'legal', 'auditor'];

export const retentionCapability = capability({
  name: 'retention',
  codec: retentionCodec,
  slices: [
    slice({
      decider: retentionDecider,
      streamPrefix: 'subject-',
      stream: (command) => subjectStream(command.subjectId),
      facts: (registers) => ({
        legalHolds: registers.get(legalHoldRegister),
        purposes: registers.get(purposeRegister),
      }),
      touched: (command, { items }) => {
        const named = 'itemIds' in command ? (command.itemIds ?? []) : 'itemId' in command ? [command.itemId] : [];
        return { categories: named.flatMap((itemId) => items[itemId]?.category ?? []) };
      },
      async lookUp(command, state, { vault, registers }) {
        const personErased = async () => (await vault.tombstoneOfSubject(command.subjectId)) !== undefined;
        const { subjectId } = command;
        // Only where anything could keep it, whether there is more than items is worth a look.
        const usageHeld = async () =>
          mayBeKept(state, registers.get(legalHoldRegister)) && (await vault.hasKeyBeside(subjectId, knownKeys(state)));
        switch (command.type) {
          case 'EraseData':
            return { usageHeld: command.itemIds === undefined && (await usageHeld()) };
          case 'ConfirmErasure': {
            const liveKeys = await live(keysBeyondUse(state));
            if (!state.person) return { liveKeys };
            return { liveKeys, personErased: await personErased(), usageHeld: await usageHeld() };
          }
          case 'ConfirmReportedValuesErased':
            return { liveKeys: await live(state.reported.get(command.requestId)?.keyIds ?? []) };
          case 'FinaliseErasure': {
            const erasure = state.erasures[command.erasureId];
            return { personErased: await personErased(), liveKeys: await live(erasure?.keyIds ?? []) };
          }
          case 'RestateErasure': {
            // Only what is known to be destroyed is restated: a key that is lost is another matter.
            const keyIds = keysNotErased(state);
            const destroyed = new Set((await vault.tombstonesOfKeys(keyIds)).map(({ id }) => id));
            return { personErased: await personErased(), liveKeys: keyIds.filter((keyId) => !destroyed.has(keyId)) };
          }
          default:
            return {};
        }
        function live(keyIds: readonly string[]): Promise<readonly string[]> {
          return vault.liveKeys(keyIds);
        }
      },
      // The keys go between the decision, which no hold forbids, and the statement that they are gone (X5).
      async beforeAppend(events, { vault }) {
        for (const event of events) {
          if (event.type === 'ReportedValuesErased') await vault.destroyItemKeys(event.data.keyIds, 'retention');
          if (event.type !== 'DataErased') continue;
          const { subjectId, items, person, cause } = event.data;
          if (person) await vault.destroySubject(subjectId, cause);
          const keyIds = items.map(({ keyId }) => keyId);
          if (keyIds.length > 0) await vault.destroyItemKeys(keyIds, cause);
          if ((await vault.liveKeys(keyIds)).length > 0) throw new Error('a key outlived its destruction');
        }
      },
      closes: { by: (event) => isErasureOfPerson(event), code: 'DATA_ERASED' },
      commands: [
        { command: CloseRelationship, roles: ['service', 'staff', 'privacyOfficer'], afterClosing: true },
        { command: CloseServiceRequest, roles: ['service', 'staff'], afterClosing: true },
        { command: EndAccountingPeriod, roles: ['service', 'staff'], afterClosing: true },
        { command: HoldForPurpose, roles: ['privacyOfficer'] },
        { command: EndPurposeForItem, roles: ['service', 'staff', 'privacyOfficer', 'system'] },
        { command: EndConsentedPurpose, roles: ['system'], afterClosing: true },
        { command: OpenDeferral, roles: ['privacyOfficer', 'legal', 'system'], afterClosing: true },
        { command: CloseDeferral, roles: ['privacyOfficer', 'legal', 'system'], afterClosing: true },
        { command: ExpireRetention, roles: ['system', 'privacyOfficer'], afterClosing: true },
        { command: DecideRetentionReview, roles: ['privacyOfficer'], afterClosing: true },
        { command: EraseData, roles: ['privacyOfficer', 'system'], afterClosing: true },
        { command: ConfirmErasure, roles: ['system'], afterClosing: true },
        { command: ConfirmReportedValuesErased, roles: ['system'], afterClosing: true },
        { command: FinaliseErasure, roles: ['system', 'privacyOfficer'], afterClosing: true },
        { command: RestateErasure, roles: ['system'], afterClosing: true },
        { command: ExtendRetention, roles: ['service', 'staff', 'privacyOfficer', 'legal'] },
      ],
    }),
    slice({
      decider: erasureRunDecider,
      streamPrefix: 'erasurerun-',
      stream: ({ runId }) => erasureRunStream(runId),
      facts: () => ({}),
      lookUp: (command) => Promise.resolve({ digestOfListed: digestOfRun(command) }),
      commands: [{ command: ApproveErasureRun, roles: ['privacyOfficer'] }],
    }),
    slice({
      decider: legalHoldDecider,
      streamPrefix: legalHoldRegister.streamPrefix,
      stream: ({ holdId }) => holdStream(holdId),
      facts: () => ({}),
      commands: [
        { command: PlaceLegalHold, roles: ['legal', 'privacyOfficer'] },
        { command: ApproveLegalHold, roles: ['legal', 'privacyOfficer'] },
        { command: ReviewLegalHold, roles: ['legal', 'privacyOfficer'] },
        { command: LiftLegalHold, roles: ['legal', 'privacyOfficer'] },
        { command: RaiseHoldReview, roles: ['system'] },
        { command: LapseLegalHold, roles: ['system'] },
      ],
    }),
  ],
  registers: [legalHoldRegister],
  projections: [retentionScheduleProjection, erasureLedgerProjection, legalHoldsProjection, erasureRunsProjection],
  views: [
    view('subject', 'retention', retentionScheduleProjection, 'retention_schedule'),
    view('subject', 'retention-purposes', retentionScheduleProjection, 'retention_purposes'),
    view('subject', 'retention-reviews', retentionScheduleProjection, 'retention_reviews'),
    view('subject', 'deferrals', retentionScheduleProjection, 'deferrals'),
    view('subject', 'erasures', erasureLedgerProjection, 'erasures'),
    view('subject', 'erasure-remains', erasureLedgerProjection, 'erasure_remains'),
    view('subject', 'erasure-recipients', erasureLedgerProjection, 'erasure_recipients', DISCREET),
    view('register', 'retention-reviews', retentionScheduleProjection, 'retention_reviews'),
    view('register', 'erasures', erasureLedgerProjection, 'erasures'),
    view('register', 'erasure-runs', erasureRunsProjection, 'erasure_runs'),
    view('register', 'legal-holds', legalHoldsProjection, 'legal_holds', DISCREET),
  ],
  controllers: [RetentionController, ErasureController],
  policies: [
    consentedPurposePolicy,
    retentionExpiryPolicy,
    erasurePolicy,
    reportedValuesPolicy,
    erasureFinalityPolicy,
    holdLapsePolicy,
    holdReviewPolicy,
  ],
});

const isErasureOfPerson = (event: { readonly type: string; readonly data: object }): boolean =>
  event.type === 'ErasureStarted' && (event.data as { readonly scope?: string }).scope === 'person';

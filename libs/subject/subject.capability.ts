import { subjectStream } from '#kernel';
import { noticeRegister } from '#notice';
import { collectionPointRegister, purposeRegister } from '#purpose';
import { capability, slice, view } from '#slice';
import { holdingsProjection } from './holdings.projection.js';
import { subjectCodec } from './subject.codec.js';
import {
  CollectData,
  CompleteCorrection,
  ConfirmAccuracy,
  CorrectData,
  DoubtAccuracy,
  LiftRestriction,
  NotifyRecipient,
  PresentNotice,
  RaiseAccuracyCheck,
  RefuseCorrection,
  RegisterSubject,
  RestrictProcessing,
} from './subject.commands.js';
import { SubjectController } from './subject.controller.js';
import { subjectDecider } from './subject.decider.js';
import { timelineProjection } from './timeline.projection.js';
import { accuracyCheckPolicy } from './accuracy.policy.js';

export const subjectCapability = capability({
  name: 'subject',
  codec: subjectCodec,
  slices: [
    slice({
      decider: subjectDecider,
      streamPrefix: 'subject-',
      stream: (command) => subjectStream(command.subjectId),
      facts: (registers) => ({
        purposes: registers.get(purposeRegister),
        collectionPoints: registers.get(collectionPointRegister),
        notices: registers.get(noticeRegister),
      }),
      async lookUp(command, _state, { vault }) {
        if (command.type !== 'RegisterSubject') return {};
        return { erased: (await vault.tombstoneOfSubject(command.subjectId)) !== undefined };
      },
      commands: [
        { command: RegisterSubject, roles: ['service', 'staff', 'privacyOfficer'] },
        { command: PresentNotice, roles: ['service', 'staff', 'privacyOfficer'] },
        { command: CollectData, roles: ['service', 'staff'] },
        { command: CorrectData, roles: ['service', 'staff', 'privacyOfficer'] },
        { command: RefuseCorrection, roles: ['privacyOfficer'] },
        { command: NotifyRecipient, roles: ['service', 'staff', 'privacyOfficer', 'system'], afterClosing: true },
        { command: CompleteCorrection, roles: ['staff', 'privacyOfficer'], afterClosing: true },
        { command: ConfirmAccuracy, roles: ['service', 'staff', 'privacyOfficer'] },
        { command: DoubtAccuracy, roles: ['service', 'staff', 'privacyOfficer'] },
        { command: RaiseAccuracyCheck, roles: ['system'] },
        { command: RestrictProcessing, roles: ['staff', 'privacyOfficer'] },
        { command: LiftRestriction, roles: ['privacyOfficer'], afterClosing: true },
      ],
    }),
  ],
  projections: [holdingsProjection, timelineProjection],
  views: [view('subject', 'timeline', timelineProjection, 'timeline')],
  controllers: [SubjectController],
  policies: [accuracyCheckPolicy],
});

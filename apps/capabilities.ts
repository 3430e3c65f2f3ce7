import { accessCapability } from '#access';
import { consentCapability } from '#consent';
import { noticeCapability } from '#notice';
import { purposeCapability } from '#purpose';
import { retentionCapability } from '#retention';
import { sharingCapability } from '#sharing';
import { refusalCapability, type Capability } from '#slice';
import { subjectCapability } from '#subject';
import { telemetryCapability } from '#telemetry';
import { useCapability } from '#use';

/** What this product can do: a new capability is one folder and one line here. */
export const capabilities: readonly Capability[] = [
  refusalCapability,
  accessCapability,
  purposeCapability,
  noticeCapability,
  subjectCapability,
  consentCapability,
  useCapability,
  sharingCapability,
  retentionCapability,
  telemetryCapability,
];

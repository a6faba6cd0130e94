/** The API's nouns, by their own names. */

import type { components } from './schema.gen';

type Schemas = components['schemas'];

export type Attempt = Schemas['Attempt'];
export type AttentionGroups = Schemas['GetAttentionResponse'];
export type AuditEntry = Schemas['AuditEntry'];
export type Campaign = Schemas['Campaign'];
export type CampaignState = Schemas['CampaignState'];
export type Counts = Schemas['Counts'];
export type FailureGroup = Schemas['FailureGroup'];
export type Forecast = Schemas['ForecastCampaignResponse'];
export type ForecastHold = Schemas['ForecastHold'];
export type ForecastShare = Schemas['ForecastShare'];
export type Hold = Schemas['Hold'];
export type HoldReason = Schemas['HoldReason'];
export type Identity = Schemas['GetIdentityResponse'];
export type Invitation = Schemas['Invitation'];
export type LaneState = Schemas['LaneState'];
export type Catcher = Schemas['Catcher'];
export type Mailbox = Schemas['Mailbox'];
export type MailboxHour = Schemas['MailboxHour'];
export type MailboxUsage = Schemas['MailboxUsage'];
export type Member = Schemas['Member'];
export type Message = Schemas['Message'];
export type MessageState = Schemas['MessageState'];
export type Overview = Schemas['Overview'];
export type Park = Schemas['Park'];
export type Preview = Schemas['PreviewMessageResponse'];
export type RejectedRow = Schemas['RejectedRow'];
export type Role = Schemas['Role'];
export type Security = Schemas['Security'];
export type Stop = Schemas['Stop'];
export type Suppression = Schemas['Suppression'];
export type Token = Schemas['Token'];
export type UsageHour = Schemas['UsageHour'];

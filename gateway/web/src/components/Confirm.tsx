import type { ReactNode } from 'react';
import { Button } from './Button';
import { Dialog, DialogText } from './Dialog';

interface ConfirmProps {
  /** The question. */
  title: string;
  /** The consequence, in numbers. */
  children: ReactNode;
  /** The verb and the number: Cancel 476 emails. */
  verb: string;
  /** What closing means: Keep it. */
  keep: string;
  danger?: boolean;
  busy?: boolean;
  /** Between the two: Pause instead. */
  instead?: ReactNode;
  onConfirm: () => void;
  onClose: () => void;
}

export function Confirm({ title, children, verb, keep, danger = false, busy = false, instead, onConfirm, onClose }: ConfirmProps) {
  return (
    <Dialog
      title={title}
      onClose={onClose}
      buttons={
        <>
          <Button kind="quiet" onClick={onClose}>
            {keep}
          </Button>
          {instead}
          <Button kind={danger ? 'solid-danger' : 'primary'} busy={busy} onClick={onConfirm}>
            {verb}
          </Button>
        </>
      }
    >
      <DialogText>{children}</DialogText>
    </Dialog>
  );
}

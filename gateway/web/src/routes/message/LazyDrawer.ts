import { lazily } from '../../components/lazily';

/** The drawer of one email, in a file of its own: lists are there before anybody opens one. */
export const MessageDrawer = lazily(async () => (await import('./MessageDrawer')).MessageDrawer);

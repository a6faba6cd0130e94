// npm's smtp-server on 127.0.0.1: says its port, then of each message a line of JSON. Arguments: the domain that it refuses.
import { SMTPServer } from "smtp-server";

const [refused] = process.argv.slice(2);

const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["AUTH", "STARTTLS"],
    disableReverseLookup: true,
    onRcptTo: ({ address }, _session, done) =>
        done(address.endsWith(`@${refused}`) ? Object.assign(new Error("5.1.1 nobody here"), { responseCode: 550 }) : null),
    onData: (stream, { envelope }, done) => {
        const chunks = [];
        stream.on("data", (chunk) => chunks.push(chunk));
        stream.on("end", () => {
            console.log(
                JSON.stringify({
                    sender: envelope.mailFrom.address,
                    recipients: envelope.rcptTo.map(({ address }) => address),
                    content: Buffer.concat(chunks).toString("base64"),
                }),
            );
            done(null, "2.0.0 taken");
        });
    },
});

server.listen(0, "127.0.0.1", () => console.log(server.server.address().port));

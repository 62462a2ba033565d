// M-Lab's browser client under Node. A browser gives it Worker and WebSocket; here worker_threads and `ws` do.
// usage: node run.js HOST:PORT   prints {"code":0,"down":bit/s,"up":bit/s,"upServerBytes":n}
"use strict";
const path = require("path");
const threads = require("worker_threads");

if (threads.isMainThread) {
  global.Worker = class {
    constructor(file) {
      this.thread = new threads.Worker(__filename, {workerData: file});
      this.thread.on("message", (data) => this.onmessage({data}));
    }
    postMessage(data) { this.thread.postMessage(data); }
    terminate() { this.thread.terminate(); }
  };
  const ndt7 = require("@m-lab/ndt7");
  const sources = path.dirname(require.resolve("@m-lab/ndt7"));
  const found = {};
  ndt7.test({
    server: process.argv[2],
    protocol: "ws",
    mlabDataPolicyInapplicable: true,
    downloadworkerfile: path.join(sources, "ndt7-download-worker.js"),
    uploadworkerfile: path.join(sources, "ndt7-upload-worker.js"),
  }, {
    error: (problem) => { console.error(String(problem)); process.exitCode = 1; },
    downloadComplete: ({LastClientMeasurement: client, LastServerMeasurement: server}) => {
      found.down = client.MeanClientMbps * 1e6;
      found.downServer = 8e6 * server.TCPInfo.BytesAcked / server.TCPInfo.ElapsedTime;
    },
    uploadComplete: ({LastServerMeasurement: server}) => {
      found.up = 8e6 * server.TCPInfo.BytesReceived / server.TCPInfo.ElapsedTime;
      found.uuid = server.ConnectionInfo.UUID;
    },
  }).then((code) => console.log(JSON.stringify({code, ...found})));
} else {
  global.self = global;
  global.WebSocket = require("ws");
  global.postMessage = (data) => threads.parentPort.postMessage(data);
  require(threads.workerData);
  threads.parentPort.on("message", (data) => global.onmessage({data}));
}

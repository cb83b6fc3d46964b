/** A JPEG of 32 × 24 green pixels, made for this purpose. */
export const SAMPLE_JPEG: Buffer = Buffer.from(
  '/9j/2wBDABQODxIPDRQSEBIXFRQYHjIhHhwcHj0sLiQySUBMS0dARkVQWnNiUFVtVkVGZIhlbXd7gYKBTmCNl4x9lnN+gXz/2wBDARUXFx4aHjshITt8U0ZTfHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHz/wAARCAAYACADASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAL/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFgEBAQEAAAAAAAAAAAAAAAAAAAIE/8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAwDAQACEQMRAD8AkBDMAAAAAA//2Q==',
  'base64',
);

/** One second of AMR-NB at 4.75 kbit/s: 50 frames of 13 bytes. */
export const SAMPLE_AMR: Buffer = Buffer.concat([Buffer.from('#!AMR\n'), ...Array.from({ length: 50 }, () => Buffer.concat([Buffer.of(0x04), Buffer.alloc(12)]))]);

/** Only the box that says what an MP4 is; nothing to play. */
export const SAMPLE_MP4: Buffer = Buffer.from('AAAAGGZ0eXBpc29tAAACAGlzb21pc28y', 'base64');

"""What the simulator recorded: nothing, as a sound file that plays."""

import io
import wave

SAMPLES_PER_SECOND = 8000
BYTES_PER_SAMPLE = 2


def silent_wave() -> bytes:
    """One second of silence, mono, as telephones sound."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(BYTES_PER_SAMPLE)
        recording.setframerate(SAMPLES_PER_SECOND)
        recording.writeframes(bytes(SAMPLES_PER_SECOND * BYTES_PER_SAMPLE))
    return buffer.getvalue()
